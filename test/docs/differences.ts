/** The table of docs/deploy.md that says where hosts differ, from the data by which the contract of hosts is tested. */
import { between, table } from '../../shared/cli/docs/markdown';
import { HOST_DIFFERENCES, type HostDifference } from '../contracts/host-differences';

export const PAGE = 'docs/deploy.md';

/** As readers know them, in the order of the page. */
const HOSTS: Readonly<Record<HostDifference['host'], string>> = {
  lambda: 'AWS Lambda',
  edge: 'Cloudflare, workerd',
  'serverless-offline': 'serverless-offline',
};

/** The page with the table as it should be. */
export const withDifferences = (page: string): string =>
  between(
    page,
    'differences',
    table(
      ['where', 'what is different', 'why', 'cases of the contract'],
      Object.entries(HOSTS).flatMap(([host, title]) =>
        HOST_DIFFERENCES.filter((one) => one.host === host).map(({ what, why, cases = [] }) => [
          title,
          inCells(what),
          inCells(why),
          cases.join('; '),
        ]),
      ),
    ),
  );

/** An angle bracket would begin a tag. */
const inCells = (text: string): string =>
  text.replace(/`[^`]*`|</g, (part) => (part === '<' ? '&lt;' : part));
