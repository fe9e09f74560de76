/** A pipeline as Mermaid: readable, and nothing in a name is more than a name. */
import { expect, test } from '@jest/globals';
import { drawMermaid } from '../../../shared/pipeline/draw/mermaid';
import { pipeline, RETRY, step } from './export/pipelines';

test('each step is a box with its target and what is special about it, each edge an arrow', () => {
  const undo = { target: { function: 'free' }, timeout: 1_000, retry: RETRY };
  expect(
    drawMermaid(
      pipeline([
        step('reserve', { undo }),
        step('end', {
          target: { webhook: 'CRM_URL', secret: 'S' },
          after: ['reserve'],
          when: '/company',
          required: false,
          delay: 2_000,
        }),
        step('ask', {
          target: { wait: 'approved' },
          after: ['reserve'],
          when: { pointer: '/plan', equals: 'pro' },
        }),
        step('tell', { target: { event: 'order.placed' }, after: ['end', 'ask'] }),
      ]),
    ),
  ).toBe(`---
title: "order"
---
flowchart LR
  s0["<b>reserve</b><br>function<br>undo free"]
  s1["<b>end</b><br>webhook CRM_URL<br>optional<br>when /company<br>delay 2s"]
  s2["<b>ask</b><br>waits for approved<br>when /plan = #34;pro#34;"]
  s3["<b>tell</b><br>sends order.placed"]
  s0 --> s1
  s0 --> s2
  s1 --> s3
  s2 --> s3
  classDef optional stroke-dasharray:5 4
  class s1 optional
`);
});

test('what could mean something to Mermaid, HTML or YAML is written as numbers, on its line', () => {
  const hostile =
    '"];\nclick s0 "javascript:alert(1)" %%{init}%% <img src=x onerror=1> `#59;` \\ --- &amp; | {}';
  const text = drawMermaid(
    pipeline([step('a', { target: { function: hostile }, when: `/${hostile}` })], {
      name: hostile,
    }),
  );
  const lines = text.split('\n');
  expect(lines).toHaveLength(6);
  expect(JSON.parse((lines[1] ?? '').replace('title: ', ''))).toBe(hostile.replace('\n', ' '));
  const label = /^ {2}s0\["<b>a<\/b><br>(.*)<br>(.*)"\]$/.exec(lines[4] ?? '');
  for (const row of label?.slice(1) ?? [])
    expect(row).toMatch(/^(?:[\p{L}\p{N} .,:_=/-]|#\d+;)+$/u);
  expect(label).toHaveLength(3);
});
