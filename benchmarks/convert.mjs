// Converts an SFDX project to one Metadata API zip with Salesforce's own library.
// node convert.mjs <folder of @salesforce/source-deploy-retrieve> <source folder> <zip to write>
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";

const [, , library, source, out] = process.argv;
const { ComponentSet, MetadataConverter } = createRequire(import.meta.url)(library);
const components = ComponentSet.fromSource(source);
await new MetadataConverter().convert(components, "metadata", {
  type: "zip",
  outputDirectory: dirname(out),
  packageName: basename(out, ".zip"),
});
