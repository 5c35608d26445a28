// Reads TAP reports and prints one line for each, followed by its failures.
import { readFileSync } from 'node:fs';
import { Parser } from 'tap-parser';

for (const file of process.argv.slice(2)) {
  const parser = new Parser((result) => {
    const { ok, count, pass, fail, skip, todo, failures } = result;
    console.log(JSON.stringify({ ok, count, pass, fail, skip, todo }));
    failures.forEach(({ id, name, diag, tapError }) => console.log(id, name, tapError ?? `${diag.verdict} ${diag.got ?? diag.reason}`));
  });
  parser.on('extra', (text) => { throw new Error(`not TAP: ${text}`); });
  parser.end(readFileSync(file, 'utf8'));
}
