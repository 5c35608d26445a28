// Usage: schema.mjs SCHEMA FILE… Validates reports or transcripts with a JSON Schema; in a .jsonl file, each line.
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const [schema, ...files] = process.argv.slice(2);
const validate = new Ajv2020({ strict: true, strictRequired: false, strictTuples: false, strictTypes: false, allowUnionTypes: true }).compile(JSON.parse(readFileSync(schema, 'utf8')));
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  const documents = file.endsWith('jsonl') ? text.trimEnd().split('\n') : [text];
  const wrong = documents.find((document) => !validate(JSON.parse(document)));
  console.log(`${file}: ${wrong === undefined ? 'valid' : `${JSON.stringify(validate.errors)} in ${wrong.slice(0, 500)}`}`);
  if (wrong !== undefined) process.exitCode = 1;
}
