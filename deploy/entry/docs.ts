/** `npm run docs` */
import { catalogue } from '../../functions';
import { docs } from '../../shared/cli/docs';

void docs(process.argv.slice(2), catalogue, {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  folder: process.cwd(),
}).then((code) => {
  process.exitCode = code;
});
