/** A pipeline as a drawing of its own: an SVG that runs and loads nothing. */
import { createHash } from 'node:crypto';
import { text } from '../http/response';
import { drawSvg, GRAPH_STYLE } from '../pipeline/draw/svg';
import type { Pipeline } from '../pipeline/pipeline';

export const graphFile = (pipeline: Pipeline): Response =>
  text(drawSvg(pipeline), {
    headers: {
      'content-type': 'image/svg+xml; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${hash(GRAPH_STYLE)}'`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      vary: 'accept',
    },
  });

const hash = (text: string): string => createHash('sha256').update(text).digest('base64');
