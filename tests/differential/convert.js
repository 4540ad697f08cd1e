// Convert with Salesforce's own library: one request a line on stdin, one answer a line on stdout.
// Request: {"to": "metadata" | "source", "from": [paths], "out": folder}; answer: {"components": [...]} or {"error": ...}.
'use strict';
const readline = require('node:readline');
const { ComponentSet, MetadataConverter } = require('@salesforce/source-deploy-retrieve');

async function answer({ to, from, out }) {
  try {
    const set = ComponentSet.fromSource({ fsPaths: from });
    set.sourceApiVersion = '67.0';
    const components = set.getSourceComponents().toArray();
    await new MetadataConverter().convert(set, to, { type: 'directory', outputDirectory: out, genUniqueDir: false });
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
