// Answers a line of JSON {call, args} with a line of JSON {result} or {error}: jsforce as its users call it, by token.
'use strict';
const readline = require('node:readline');
const jsforce = require('jsforce');

const { instanceUrl, accessToken, version } = JSON.parse(process.argv[2]);
const connection = new jsforce.Connection({ instanceUrl, accessToken, version });
connection.metadata.pollInterval = 200;
connection.metadata.pollTimeout = 60000;
connection.bulk2.pollInterval = 200;
connection.bulk2.pollTimeout = 60000;

const calls = {
  identity: () => connection.identity(),
  describeGlobal: () => connection.describeGlobal(),
  describe: (name) => connection.sobject(name).describe(),
  create: (name, record) => connection.sobject(name).create(record),
  destroy: (name, id) => connection.sobject(name).destroy(id),
  query: (soql) => connection.query(soql),
  retrieveMany: (name, ids) => connection.sobject(name).retrieve(ids),
  upsertMany: (name, records, key) => connection.sobject(name).upsert(records, key),
  deleted: (name) => connection.sobject(name).deleted(new Date(Date.now() - 600000), new Date(Date.now() + 120000)),
  bulkOld: (name, operation, records) => connection.bulk.load(name, operation, records),
  bulkLoad: (job, input) => connection.bulk2.loadAndWaitForResults({ ...job, input }),
  bulkQuery: async (soql) => (await connection.bulk2.query(soql)).toArray(),
  metadataDescribe: () => connection.metadata.describe(version),
  list: (query) => connection.metadata.list(query, version),
  read: (type, names) => connection.metadata.read(type, names),
  upsert: (type, metadata) => connection.metadata.upsert(type, metadata),
  remove: (type, names) => connection.metadata.delete(type, names),
  deploy: (zip, options) => connection.metadata.deploy(Buffer.from(zip, 'base64'), options).complete(true),
  retrieve: (request) => connection.metadata.retrieve(request).complete(),
};

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const { call, args } = JSON.parse(line);
  let answer;
  try {
    answer = { result: await calls[call](...args) };
  } catch (error) {
    answer = { error: `${error.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
