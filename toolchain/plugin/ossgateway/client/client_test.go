package client

import (
	"encoding/json"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	spi "github.com/alibabacloud-go/alibabacloud-gateway-spi/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/aliyun/credentials-go/credentials"
)

// The example of the OSS developer guide, "Include signatures in the Authorization header (V1)".
func TestSignatureV1IsTheOneOfThePublishedExample(t *testing.T) {
	got := signV1(accessKeys{"44CF9590006BF252F707", "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV"}, signedTarget{
		method: "PUT", bucket: "oss-example", path: "/nelson",
		headers: map[string]string{
			"content-md5": "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=", "content-type": "text/html",
			"date": "Thu, 17 Nov 2005 18:49:58 GMT", "host": "oss-example.oss-cn-hangzhou.aliyuncs.com",
			"x-oss-meta-author": "foo@bar.com", "x-oss-magic": "abracadabra",
		},
	})
	if want := "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA="; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

type vector struct {
	Method, Bucket, Path, Region, Time, Authorization string
	Query, Headers                                    map[string]string
}

// The vectors are what the official Python SDK signs; tests/toolchain checks that they still are.
func TestSignatureV4IsTheOneOfTheOfficialPythonSDK(t *testing.T) {
	raw, err := os.ReadFile("testdata/signature_v4.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(raw, &vectors); err != nil || len(vectors) == 0 {
		t.Fatal("no vectors", err)
	}
	for _, v := range vectors {
		now, err := time.Parse(isoBasic, v.Time)
		if err != nil {
			t.Fatal(err)
		}
		target := signedTarget{method: v.Method, bucket: v.Bucket, path: v.Path, query: v.Query, headers: v.Headers}
		if got := signV4(accessKeys{"ak", "sk"}, v.Region, now, target); got != v.Authorization {
			t.Errorf("%s %s%s: got %s, want %s", v.Method, v.Bucket, v.Path, got, v.Authorization)
		}
	}
}

func contextOf(t *testing.T, body interface{}) *spi.InterceptorContext {
	t.Helper()
	credential, err := credentials.NewCredential(
		new(credentials.Config).SetType("access_key").SetAccessKeyId("ak").SetAccessKeySecret("sk"))
	if err != nil {
		t.Fatal(err)
	}
	return &spi.InterceptorContext{
		Request: &spi.InterceptorContextRequest{
			Headers: map[string]*string{"x-acs-action": tea.String("PutBucketVersioning")}, Body: body,
			HostMap: map[string]*string{"bucket": tea.String("releases")}, Pathname: tea.String("/?versioning"),
			Method: tea.String("PUT"), ReqBodyType: tea.String("xml"), BodyType: tea.String("xml"),
			Credential: credential, UserAgent: tea.String("test"),
		},
		Configuration: &spi.InterceptorContextConfiguration{RegionId: tea.String("cn-shanghai")},
	}
}

func TestARequestGoesToTheBucketSHostWithAnXMLBodyAndASignature(t *testing.T) {
	gateway := &Client{now: func() time.Time { return time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC) }}
	context := contextOf(t, map[string]interface{}{"VersioningConfiguration": map[string]interface{}{"Status": "Enabled"}})
	if err := gateway.ModifyConfiguration(context, nil); err != nil {
		t.Fatal(err)
	}
	if err := gateway.ModifyRequest(context, nil); err != nil {
		t.Fatal(err)
	}
	if got := tea.StringValue(context.Request.Headers["host"]); got != "releases.oss-cn-shanghai.aliyuncs.com" {
		t.Error("host", got)
	}
	body, _ := io.ReadAll(context.Request.Stream)
	if !strings.HasSuffix(string(body), "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>") {
		t.Error("body", string(body))
	}
	if _, there := context.Request.Headers["x-acs-action"]; there {
		t.Error("an RPC header went to OSS")
	}
	prefix := "OSS4-HMAC-SHA256 Credential=ak/20261122/cn-shanghai/oss/aliyun_v4_request,Signature="
	if got := tea.StringValue(context.Request.Headers["authorization"]); !strings.HasPrefix(got, prefix) {
		t.Error("authorization", got)
	}
}

func TestVersionOneIsUsedWhereTheUserAsksForIt(t *testing.T) {
	gateway, _ := NewClient()
	context := contextOf(t, nil)
	context.Request.SignatureVersion = tea.String("v1")
	context.Configuration.Endpoint = tea.String("oss-cn-beijing.aliyuncs.com")
	if err := gateway.ModifyRequest(context, nil); err != nil {
		t.Fatal(err)
	}
	if got := tea.StringValue(context.Request.Headers["authorization"]); !strings.HasPrefix(got, "OSS ak:") {
		t.Error("authorization", got)
	}
}

func reply(status int, body string) *spi.InterceptorContext {
	return &spi.InterceptorContext{
		Request:  &spi.InterceptorContextRequest{BodyType: tea.String("xml")},
		Response: &spi.InterceptorContextResponse{StatusCode: tea.Int(status), Body: strings.NewReader(body)},
	}
}

func TestAReplyBecomesAMapUnderItsRootElement(t *testing.T) {
	gateway, _ := NewClient()
	context := reply(200, `<?xml version="1.0"?><HttpsConfiguration><TLS><Enable>true</Enable>`+
		`<TLSVersion>TLSv1.2</TLSVersion><TLSVersion>TLSv1.3</TLSVersion></TLS></HttpsConfiguration>`)
	if err := gateway.ModifyResponse(context, nil); err != nil {
		t.Fatal(err)
	}
	want := map[string]interface{}{"HttpsConfiguration": map[string]interface{}{"TLS": map[string]interface{}{
		"Enable": "true", "TLSVersion": []interface{}{"TLSv1.2", "TLSv1.3"}}}}
	if !reflect.DeepEqual(context.Response.DeserializedBody, want) {
		t.Error(context.Response.DeserializedBody)
	}
}

func TestAnEmptyReplyLeavesNoBodySoThatTheHeadersStayReadable(t *testing.T) {
	gateway, _ := NewClient()
	context := reply(200, "")
	if err := gateway.ModifyResponse(context, nil); err != nil || context.Response.DeserializedBody != nil {
		t.Error(err, context.Response.DeserializedBody)
	}
}

func TestARefusalBecomesTheSDKsErrorWithItsCode(t *testing.T) {
	gateway, _ := NewClient()
	err := gateway.ModifyResponse(reply(404, "<Error><Code>NoSuchWORMConfiguration</Code><Message>none</Message></Error>"), nil)
	failure, ok := err.(*tea.SDKError)
	if !ok || tea.StringValue(failure.Code) != "NoSuchWORMConfiguration" || tea.IntValue(failure.StatusCode) != 404 {
		t.Errorf("%#v", err)
	}
}

func TestABodyOfListsAndNestedMapsIsWrittenAndReadBackTheSame(t *testing.T) {
	body := map[string]interface{}{"A": map[string]interface{}{
		"B": []interface{}{"1", "2"}, "C": map[string]interface{}{"D": "a<b&c"}, "E": ""}}
	encoded, err := encodeXML(body)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := decodeXML(encoded)
	if err != nil || !reflect.DeepEqual(decoded, body) {
		t.Error(decoded, err)
	}
}
