package client

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"reflect"
	"sort"
)

// encodeXML writes {"Root": {"Child": value, "List": [a, b]}} as XML; a list becomes its element repeated.
func encodeXML(body map[string]interface{}) ([]byte, error) {
	if len(body) != 1 {
		return nil, fmt.Errorf("an OSS body has one root element, this one has %d", len(body))
	}
	var buffer bytes.Buffer
	buffer.WriteString(xml.Header)
	encoder := xml.NewEncoder(&buffer)
	for root, value := range body {
		if err := writeElement(encoder, root, value); err != nil {
			return nil, err
		}
	}
	err := encoder.Flush()
	return buffer.Bytes(), err
}

func writeElement(encoder *xml.Encoder, name string, value interface{}) error {
	reflected := reflect.ValueOf(value)
	for reflected.Kind() == reflect.Pointer || reflected.Kind() == reflect.Interface {
		reflected = reflected.Elem()
	}
	switch reflected.Kind() {
	case reflect.Invalid: // nil: the element is left out
		return nil
	case reflect.Slice:
		for i := range reflected.Len() {
			if err := writeElement(encoder, name, reflected.Index(i).Interface()); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		return writeChildren(encoder, name, reflected)
	default:
		return encoder.EncodeElement(fmt.Sprint(reflected.Interface()), xml.StartElement{Name: xml.Name{Local: name}})
	}
}

func writeChildren(encoder *xml.Encoder, name string, children reflect.Value) error {
	start := xml.StartElement{Name: xml.Name{Local: name}}
	if err := encoder.EncodeToken(start); err != nil {
		return err
	}
	names := children.MapKeys()
	sort.Slice(names, func(i, j int) bool { return names[i].String() < names[j].String() })
	for _, child := range names {
		if err := writeElement(encoder, child.String(), children.MapIndex(child).Interface()); err != nil {
			return err
		}
	}
	return encoder.EncodeToken(start.End())
}

// decodeXML reads a document into {"Root": …}: an element with children is a map, a repeated one a list, a leaf its text.
func decodeXML(body []byte) (map[string]interface{}, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return nil, fmt.Errorf("the OSS reply is no XML document")
		}
		if err != nil {
			return nil, err
		}
		if start, ok := token.(xml.StartElement); ok {
			value, err := readElement(decoder)
			return map[string]interface{}{start.Name.Local: value}, err
		}
	}
}

func readElement(decoder *xml.Decoder) (interface{}, error) {
	children := map[string]interface{}{}
	content := ""
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		switch value := token.(type) {
		case xml.StartElement:
			child, err := readElement(decoder)
			if err != nil {
				return nil, err
			}
			add(children, value.Name.Local, child)
		case xml.CharData:
			content += string(value)
		case xml.EndElement:
			if len(children) > 0 {
				return children, nil
			}
			return content, nil
		}
	}
}

func add(children map[string]interface{}, name string, child interface{}) {
	switch present := children[name].(type) {
	case nil:
		children[name] = child
	case []interface{}:
		children[name] = append(present, child)
	default:
		children[name] = []interface{}{present, child}
	}
}

func text(value interface{}) string {
	written, _ := value.(string)
	return written
}
