/** What the sentences of a page name: settings, files, commands, links. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Copy } from './copy';
import { curl, type Hosts } from './hosts';
import type { Page } from './markdown';
import { recognise } from './shell';
import { isThere, type Standing } from './standing';

export interface ProseOptions {
  /** Of the page. */
  readonly name: string;
  readonly copy: Copy;
  readonly hosts: Hosts;
  readonly known: Standing;
}

/** Complaints, each behind its line. */
export const checkProse = async (
  page: Page,
  { name: from, copy, hosts, known }: ProseOptions,
): Promise<readonly string[]> => {
  const complaints: string[] = [];
  const isFile = (file: string) =>
    existsSync(path.join(copy.folder, file)) || page.blocks.some((block) => block.file === file);
  for (const [line, span] of page.spans) {
    const [name = ''] = span.split('=');
    if (/^[A-Z][A-Z0-9]*_[A-Z0-9_]+$/.test(name) && !known.variables.has(name))
      complaints.push(`${line} there is no setting ${name}`);
    if (
      /^(?:functions|shared|pipelines|test|deploy|docs|dist)\/[\w./-]+$/.test(span) &&
      !isFile(span)
    )
      complaints.push(`${line} there is no file ${span}`);
    if (/^(?:npm|npx|node|curl) \S.* \S|^npm \S/.test(span))
      complaints.push(...isThere(recognise(span), known).map((what) => `${line} ${what}`));
  }
  for (const [line, link] of page.links) {
    const [target = '', anchor] = link.split('#');
    if (/^http:\/\/localhost:8080/.test(link)) {
      const { status } = await curl(`curl -s ${link}`, await hosts.url(false));
      if (status >= 400 || status === 0) complaints.push(`${line} ${link} answers ${status}`);
    } else if (!/^https?:/.test(link) && !known.isTarget(from, target, anchor))
      complaints.push(`${line} the link ${link} goes nowhere`);
  }
  return complaints;
};
