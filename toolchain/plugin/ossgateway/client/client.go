// Package client is the gateway that carries the provider's calls to OSS: bucket host, XML body, OSS signature,
// XML reply into a map, error into the SDK's error type.
package client

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	spi "github.com/alibabacloud-go/alibabacloud-gateway-spi/client"
	"github.com/alibabacloud-go/tea/tea"
)

// Client implements the three hooks that the OpenAPI client calls around each request.
type Client struct {
	now func() time.Time
}

// NewClient returns a gateway that signs with the current time.
func NewClient() (*Client, error) {
	return &Client{now: time.Now}, nil
}

// ModifyConfiguration fills in the public endpoint of the region where none is configured.
func (c *Client) ModifyConfiguration(context *spi.InterceptorContext, _ *spi.AttributeMap) error {
	configuration := context.Configuration
	if tea.StringValue(configuration.Endpoint) == "" {
		region := tea.StringValue(configuration.RegionId)
		if region == "" {
			return fmt.Errorf("OSS needs an endpoint or a region, and has neither")
		}
		configuration.Endpoint = tea.String("oss-" + region + ".aliyuncs.com")
	}
	return nil
}

// ModifyRequest encodes the body, addresses the bucket's own host and signs.
func (c *Client) ModifyRequest(context *spi.InterceptorContext, _ *spi.AttributeMap) error {
	request := context.Request
	if request.Headers == nil {
		request.Headers = map[string]*string{}
	}
	endpoint := tea.StringValue(context.Configuration.Endpoint)
	bucket := tea.StringValue(request.HostMap["bucket"])
	request.Headers["host"] = tea.String(hostOf(bucket, endpoint))
	request.Headers["user-agent"] = request.UserAgent
	// The client's RPC defaults mean nothing to OSS, and those starting with x-acs- would only go unsigned.
	for name := range request.Headers {
		if strings.HasPrefix(name, "x-acs-") {
			delete(request.Headers, name)
		}
	}

	body, contentType, err := encodeBody(request.Body, tea.StringValue(request.ReqBodyType))
	if err != nil {
		return err
	}
	if body != nil {
		sum := md5.Sum(body)
		request.Headers["content-md5"] = tea.String(base64.StdEncoding.EncodeToString(sum[:]))
		request.Headers["content-type"] = tea.String(contentType)
		request.Stream = bytes.NewReader(body)
	}
	return c.authorize(context, bucket, endpoint)
}

func (c *Client) authorize(context *spi.InterceptorContext, bucket, endpoint string) error {
	request := context.Request
	credential, err := request.Credential.GetCredential()
	if err != nil {
		return err
	}
	keys := accessKeys{id: tea.StringValue(credential.AccessKeyId), secret: tea.StringValue(credential.AccessKeySecret)}
	now := c.now().UTC()
	request.Headers["date"] = tea.String(now.Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	if token := tea.StringValue(credential.SecurityToken); token != "" {
		request.Headers["x-oss-security-token"] = tea.String(token)
	}
	path, query := splitTarget(tea.StringValue(request.Pathname), request.Query)
	target := signedTarget{
		method: strings.ToUpper(tea.StringValue(request.Method)), bucket: bucket, path: path, query: query,
	}
	if strings.EqualFold(tea.StringValue(request.SignatureVersion), "v1") {
		target.headers = lowered(request.Headers)
		request.Headers["authorization"] = tea.String(signV1(keys, target))
		return nil
	}
	request.Headers["x-oss-date"] = tea.String(now.Format(isoBasic))
	request.Headers["x-oss-content-sha256"] = tea.String(unsignedPayload)
	target.headers = lowered(request.Headers)
	region := regionOf(endpoint, tea.StringValue(context.Configuration.RegionId))
	request.Headers["authorization"] = tea.String(signV4(keys, region, now, target))
	return nil
}

// ModifyResponse turns the reply into a map under its root element, or into the SDK's error.
func (c *Client) ModifyResponse(context *spi.InterceptorContext, _ *spi.AttributeMap) error {
	response := context.Response
	var body []byte
	if response.Body != nil {
		read, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		body = read
	}
	status := tea.IntValue(response.StatusCode)
	if status >= 400 {
		return errorOf(status, body, response.Headers)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	decoded, err := decodeBody(body, tea.StringValue(context.Request.BodyType))
	response.DeserializedBody = decoded
	return err
}

func encodeBody(body interface{}, kind string) ([]byte, string, error) {
	switch value := body.(type) {
	case nil:
		return nil, "", nil
	case string:
		if kind == "json" {
			return []byte(value), "application/json", nil
		}
		return []byte(value), "application/xml", nil
	case map[string]interface{}:
		if len(value) == 0 {
			return nil, "", nil
		}
		if kind == "json" {
			encoded, err := json.Marshal(value)
			return encoded, "application/json", err
		}
		encoded, err := encodeXML(value)
		return encoded, "application/xml", err
	default:
		return nil, "", fmt.Errorf("OSS body of an unknown kind: %T", body)
	}
}

func decodeBody(body []byte, kind string) (interface{}, error) {
	switch kind {
	case "json":
		var decoded interface{}
		err := json.Unmarshal(body, &decoded)
		return decoded, err
	case "string":
		return string(body), nil
	default:
		return decodeXML(body)
	}
}

func errorOf(status int, body []byte, headers map[string]*string) error {
	code, message := fmt.Sprintf("HTTP%d", status), string(body)
	requestID := tea.StringValue(headers["x-oss-request-id"])
	if decoded, err := decodeXML(body); err == nil {
		if fields, ok := decoded["Error"].(map[string]interface{}); ok {
			code, message = text(fields["Code"]), text(fields["Message"])
		}
	} else if status == 404 {
		code = "NoSuchKey"
	}
	return tea.NewSDKError(map[string]interface{}{
		"code":    code,
		"message": message,
		"data": map[string]interface{}{
			"httpCode": status, "statusCode": status, "requestId": requestID, "Code": code, "Message": message,
		},
	})
}

func hostOf(bucket, endpoint string) string {
	if bucket == "" {
		return endpoint
	}
	return bucket + "." + endpoint
}

// regionOf reads the region off an endpoint such as oss-cn-shanghai-internal.aliyuncs.com; `fallback` serves custom ones.
func regionOf(endpoint, fallback string) string {
	label, rest, _ := strings.Cut(endpoint, ".")
	if strings.HasPrefix(label, "oss-") && strings.HasPrefix(rest, "aliyuncs.com") {
		return strings.TrimSuffix(strings.TrimPrefix(label, "oss-"), "-internal")
	}
	return fallback
}

func lowered(headers map[string]*string) map[string]string {
	plain := make(map[string]string, len(headers))
	for name, value := range headers {
		if value != nil {
			plain[strings.ToLower(name)] = *value
		}
	}
	return plain
}
