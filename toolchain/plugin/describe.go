package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// description is what the bridge derives for one resource: property names as Pulumi's wire has them.
type description struct {
	Terraform string   `json:"terraform"`
	Inputs    []string `json:"inputs"`
	Outputs   []string `json:"outputs"`
	Required  []string `json:"required"`
}

// describe returns every mapped resource by its Pulumi token. The contract test of toolchain/ holds it against the
// classes of pulumi_alicloud.
func describe(info tfbridge.ProviderInfo) map[string]description {
	described := map[string]description{}
	for name, resource := range info.Resources {
		found := description{Terraform: name, Inputs: []string{}, Outputs: []string{}, Required: []string{}}
		properties := info.P.ResourcesMap().Get(name).Schema()
		properties.Range(func(key string, property shim.Schema) bool {
			// The classes have neither the id, which is the engine's own, nor what the provider has removed.
			if key == "id" || property.Removed() != "" {
				return true
			}
			pulumiName := tfbridge.TerraformToPulumiNameV2(key, properties, resource.Fields)
			found.Outputs = append(found.Outputs, pulumiName)
			if property.Optional() || property.Required() {
				found.Inputs = append(found.Inputs, pulumiName)
			}
			if property.Required() {
				found.Required = append(found.Required, pulumiName)
			}
			return true
		})
		described[string(resource.Tok)] = found
	}
	return described
}
