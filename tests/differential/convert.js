// Convert with Salesforce's own library: one request a line on stdin, one answer a line on stdout.
// Request: {"to": "metadata" | "source", "from": [paths], "out": folder, "project": folder of sfdx-project.json};
// answer: {"components": [...]} or {"error": ...}.
'use strict';
const readline = require('node:readline');
const { ComponentSet, MetadataConverter, RegistryAccess } = require('@salesforce/source-deploy-retrieve');

async function answer({ to, from, out, project }) {
  try {
    const registry = new RegistryAccess(undefined, project);
    const set = ComponentSet.fromSource({ fsPaths: from, registry });
    set.sourceApiVersion = '67.0';
    set.projectDirectory = project;
    const components = set.getSourceComponents().toArray();
    await new MetadataConverter(registry).convert(set, to, { type: 'directory', outputDirectory: out, genUniqueDir: false });
    return { components: components.map((component) => [component.type.name, component.fullName]) };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
})();
