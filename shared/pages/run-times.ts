/** Instants on a page: in UTC, for want of the reader's zone; the script beside it says them as people do. */
import { escapeHtml } from '../html';

/** `moment`: with the date and how long ago; `clock`: the time of day; `countdown`: in how long. */
export type TimeStyle = 'moment' | 'clock' | 'countdown';

export const timeElement = (at: string | undefined, style: TimeStyle, className = ''): string => {
  const shown = at === undefined ? '' : utc(at, style);
  const datetime = at === undefined ? '' : ` datetime="${escapeHtml(at)}"`;
  return `<time${className && ` class="${className}"`} data-as="${style}"${datetime}>${escapeHtml(shown)}</time>`;
};

const utc = (at: string, style: TimeStyle): string => {
  const [date = '', time = ''] = at.replace(/\.\d+Z$/, '').split('T');
  return `${style === 'moment' ? `${date} ` : style === 'countdown' ? 'at ' : ''}${time} UTC`;
};
