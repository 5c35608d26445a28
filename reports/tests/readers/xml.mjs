// Usage: xml.mjs FILE… Checks with libxml2 that files are well-formed XML.
import { readFileSync } from 'node:fs';
import { validateXML } from 'xmllint-wasm';

for (const fileName of process.argv.slice(2)) {
  // It throws for a file that is not well-formed.
  await validateXML({ xml: [{ fileName, contents: readFileSync(fileName, 'utf8') }] });
  console.log(`${fileName}: well-formed`);
}
