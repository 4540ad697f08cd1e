package client

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/alibabacloud-go/tea/tea"
)

const (
	isoBasic        = "20060102T150405Z"
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

type accessKeys struct{ id, secret string }

// signedTarget is what a signature covers. Header names are lower case; path and query are not encoded.
type signedTarget struct {
	method, bucket, path string
	query, headers       map[string]string
}

// signV1 returns the Authorization header "OSS id:signature". Every query key of a call to the split bucket resources
// is a sub-resource or belongs to one, so all of them are signed.
func signV1(keys accessKeys, target signedTarget) string {
	lines := []string{
		target.method, target.headers["content-md5"], target.headers["content-type"], target.headers["date"],
	}
	for _, name := range sortedKeys(target.headers) {
		if strings.HasPrefix(name, "x-oss-") {
			lines = append(lines, name+":"+strings.TrimSpace(target.headers[name]))
		}
	}
	resource := "/" + target.bucket + target.path
	if target.bucket == "" {
		resource = target.path
	}
	separator := "?"
	for _, key := range sortedKeys(target.query) {
		resource += separator + key
		if value := target.query[key]; value != "" {
			resource += "=" + value
		}
		separator = "&"
	}
	signature := mac(sha1.New, []byte(keys.secret), strings.Join(append(lines, resource), "\n"))
	return "OSS " + keys.id + ":" + base64.StdEncoding.EncodeToString(signature)
}

// signV4 returns the Authorization header of OSS4-HMAC-SHA256 with an unsigned payload.
func signV4(keys accessKeys, region string, now time.Time, target signedTarget) string {
	date := now.Format("20060102")
	scope := strings.Join([]string{date, region, "oss", "aliyun_v4_request"}, "/")
	digest := sha256.Sum256([]byte(canonicalV4(target)))
	signed := strings.Join([]string{"OSS4-HMAC-SHA256", now.Format(isoBasic), scope, hex.EncodeToString(digest[:])}, "\n")
	key := []byte("aliyun_v4" + keys.secret)
	for _, part := range []string{date, region, "oss", "aliyun_v4_request"} {
		key = mac(sha256.New, key, part)
	}
	signature := hex.EncodeToString(mac(sha256.New, key, signed))
	return "OSS4-HMAC-SHA256 Credential=" + keys.id + "/" + scope + ",Signature=" + signature
}

func canonicalV4(target signedTarget) string {
	uri := encode(target.path, true)
	if target.bucket != "" {
		uri = "/" + encode(target.bucket, true) + uri
	}
	pairs := make([]string, 0, len(target.query))
	for key, value := range target.query {
		pair := encode(key, false)
		if value != "" {
			pair += "=" + encode(value, false)
		}
		pairs = append(pairs, pair)
	}
	sort.Strings(pairs)
	headers := ""
	for _, name := range sortedKeys(target.headers) {
		if name == "content-type" || name == "content-md5" || strings.HasPrefix(name, "x-oss-") {
			headers += name + ":" + strings.TrimSpace(target.headers[name]) + "\n"
		}
	}
	return strings.Join([]string{
		target.method, uri, strings.Join(pairs, "&"), headers, "", target.headers["x-oss-content-sha256"],
	}, "\n")
}

// splitTarget separates a path such as "/?worm" from its sub-resource and joins that with the other query parameters.
func splitTarget(pathname string, query map[string]*string) (string, map[string]string) {
	path, raw, _ := strings.Cut(pathname, "?")
	joined := map[string]string{}
	for _, pair := range strings.Split(raw, "&") {
		if key, value, _ := strings.Cut(pair, "="); key != "" {
			joined[key] = value
		}
	}
	for key, value := range query {
		joined[key] = tea.StringValue(value)
	}
	if path == "" {
		path = "/"
	}
	return path, joined
}

// encode percent-encodes as RFC 3986 has it, keeping "/" where `slash` is set.
func encode(value string, slash bool) string {
	encoded := strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	encoded = strings.ReplaceAll(strings.ReplaceAll(encoded, "%7E", "~"), "*", "%2A")
	if slash {
		encoded = strings.ReplaceAll(encoded, "%2F", "/")
	}
	return encoded
}

func mac(algorithm func() hash.Hash, key []byte, message string) []byte {
	signer := hmac.New(algorithm, key)
	signer.Write([]byte(message))
	return signer.Sum(nil)
}

func sortedKeys(values map[string]string) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
