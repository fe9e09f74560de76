import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { makeCopy, ROOT } from './copy';
import { placeFiles } from './files';
import { createReader } from './reader';
test('x', async () => {
  const copy = await makeCopy();
  const pages = Object.fromEntries(['docs/deploy.md','docs/running.md'].map(f=>[f, readFileSync(path.join(ROOT,f),'utf8')]));
  const bad = '# x\n\n```sh\ngcloud run deploy add-defaults --sauce=.\nkubectl apply -k deploy/knativ\ndocker build -f\nnpx osls frobnicate\nnpx osls package | sh\n```\n';
  const c = await placeFiles(copy, pages);
  const reader = createReader(copy);
  for (const [name, text] of Object.entries({ ...pages, 'bad.md': bad })) c.concat(await reader(name, text)).forEach((x) => console.log(x));
  await copy.clear();
}, 200000);
