// Command pulumi-resource-alicloud is the Alibaba Cloud plugin, built from published modules where Pulumi's own cannot be
// had. It serves the resources of resources.json, which are those that infra/ uses, under Pulumi's own tokens.
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aliyun/terraform-provider-alicloud/alicloud"
	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv1 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v1"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// version is the release of pulumi-alicloud whose Python classes speak to this plugin; the build sets it.
var version = "0.0.0-dev"

//go:embed resources.json
var table []byte

// single names the lists that pulumi-alicloud's classes take as one object, though the provider sets them no limit
// (pulumi-alicloud 3.105.0).
var single = map[string][]string{
	"alicloud_config_rule":   {"compliance"},
	"alicloud_fcv3_function": {"tracing_config"},
	"alicloud_fcv3_trigger":  {"http_trigger"},
}

func main() {
	info, err := provider()
	if err == nil && len(os.Args) == 2 && os.Args[1] == "-describe" {
		err = json.NewEncoder(os.Stdout).Encode(describe(info))
		if err == nil {
			return
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Python programs never ask for the schema; its head is all that the engine looks at.
	head, _ := json.Marshal(map[string]string{"name": "alicloud", "version": version})
	tfbridge.Main("alicloud", version, info, head)
}

func provider() (tfbridge.ProviderInfo, error) {
	info := tfbridge.ProviderInfo{
		P:         shimv1.NewProvider(alicloud.Provider().(*schema.Provider)),
		Name:      "alicloud",
		Version:   version,
		Resources: map[string]*tfbridge.ResourceInfo{},
	}
	var resources map[string]string
	if err := json.Unmarshal(table, &resources); err != nil {
		return info, fmt.Errorf("resources.json: %w", err)
	}
	for name, token := range resources {
		if _, there := info.P.ResourcesMap().GetOk(name); !there {
			return info, fmt.Errorf("resources.json: the provider has no resource %s", name)
		}
		fields := map[string]*tfbridge.SchemaInfo{}
		for _, field := range single[name] {
			fields[field] = &tfbridge.SchemaInfo{MaxItemsOne: tfbridge.True()}
		}
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: tokens.Type(token), Fields: fields}
	}
	info.SetAutonaming(255, "-")
	return info, nil
}
