/** `npm run demo` */
import path from 'node:path';
import { demo } from '../../shared/cli/demo';

void demo({
  host: path.join(__dirname, 'functions-framework.cjs'),
  write: (text) => process.stdout.write(text),
}).then((code) => {
  process.exitCode = code;
});
