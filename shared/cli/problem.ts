/** What a server said no with, or why it could not be asked, in words that say what to do. */
import type { InputError } from '../failure';
import type { TokenKind } from './client';
import { oneLine } from './text';

export interface Problem {
  /** Absent when there was no answer. */
  readonly status?: number;
  /** Of the failure table; `unreachable`, `interrupted`, `redirected` and `not_the_suite` are of the command itself. */
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly InputError[];
}

/** A call that did not end as it should have. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  /** 1: the server has said no. 2: it could not be asked, or not by us. */
  get exitCode(): 1 | 2 {
    if (this.problem.code === 'interrupted') return 1;
    return this.isNo ? 1 : 2;
  }

  /** Whether it says something of what was asked, so that the next question may have another answer. */
  get isNo(): boolean {
    const { status = 0, code } = this.problem;
    return status >= 400 && status !== 401 && status !== 403 && code !== 'not_the_suite';
  }
}

/** A message of one line, and one more for each mistake; each ends with its line break. */
export const explainError = ({ problem }: ApiError): string => {
  const { status, code, detail, errors = [] } = problem;
  const said = status === undefined ? '' : `the server answers ${status} ${code}: `;
  return `${oneLine(`${said}${detail}`)}\n${errors.map(explainMistake).join('')}`;
};

const explainMistake = ({ pointer, message }: InputError): string =>
  `  ${oneLine(`${pointer === '' ? '/' : pointer} ${message}`)}\n`;

export const interrupted = (): ApiError =>
  new ApiError({ code: 'interrupted', detail: 'interrupted' });

interface Cause {
  readonly code?: string;
  readonly message?: string;
}

export const unreachable = (url: string, error: unknown, timeout: number): ApiError => {
  const { name, message, cause } = error as Error & { readonly cause?: Cause };
  const isLate = name === 'TimeoutError' || name === 'AbortError';
  const why = isLate
    ? `nothing came within ${timeout / 1000} s`
    : (cause?.code ?? cause?.message ?? message);
  return new ApiError({
    code: 'unreachable',
    detail: `no server answers at ${url} (${why}): is it running? --url or FAAS_URL say where it is`,
  });
};

export const problemOf = (
  response: { readonly status: number; readonly headers: { get(name: string): string | null } },
  text: string,
  { url, callers }: { readonly url: string; readonly callers: TokenKind },
): ApiError => {
  const { status, headers } = response;
  if (status >= 300 && status < 400)
    return new ApiError({
      status,
      code: 'redirected',
      detail: `${url} leads to ${headers.get('location') ?? 'nowhere'}, which is not followed; --url or FAAS_URL say where the server is`,
    });
  const body = status >= 400 ? readProblem(text) : undefined;
  if (!body)
    return new ApiError({
      status,
      code: 'not_the_suite',
      detail: `what stands at ${url} is not this suite: its answer is ${headers.get('content-type') ?? 'of no type'}`,
    });
  const { code, detail, errors } = body;
  return new ApiError({
    status,
    code,
    detail: `${detail}${tokenHint(status, callers)}`,
    ...(errors && errors.length > 0 && { errors }),
  });
};

const readProblem = (text: string): Problem | undefined => {
  try {
    const body = JSON.parse(text) as Partial<Problem> | null;
    return typeof body?.code === 'string' && typeof body.detail === 'string'
      ? (body as Problem)
      : undefined;
  } catch {
    return undefined;
  }
};

const tokenHint = (status: number, callers: TokenKind): string => {
  if (callers === 'none' || (status !== 401 && status !== 403)) return '';
  const variable = callers === 'admin' ? 'ADMIN_TOKENS' : 'CALLER_TOKENS';
  return status === 401
    ? ` Set FAAS_TOKEN (or --token) to one of the server's ${variable}.`
    : ` The server has no ${variable}: set them there, and FAAS_TOKEN here to one of them.`;
};
