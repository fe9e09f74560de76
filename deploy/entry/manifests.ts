/** `npm run manifests` */
import { catalogue } from '../../functions';
import { manifests } from '../../shared/cli/manifests';

void manifests(process.argv.slice(2), catalogue, {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  folder: process.cwd(),
}).then((code) => {
  process.exitCode = code;
});
