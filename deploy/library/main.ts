/** `faas-patterns`: what a function of one's own is made of, on Node and at the edge. */
export { type AddDefaultsOptions, addDefaults } from '../../functions/add-defaults';
export { type ShardRouterOptions, shardRouter } from '../../functions/shard-router';
export { type Clock, type SleepOptions, systemClock } from '../../shared/clock';
export type { ConfigOf, Setting, Settings } from '../../shared/config';
export {
  type AnyFunction,
  type BodyMode,
  type Callers,
  defineFunction,
  type FunctionDeclaration,
  type Kind,
  type Method,
  type Need,
  type Route,
  type RoutePattern,
} from '../../shared/define';
export {
  type CloudEvent,
  type EventHandler,
  onEvent,
  type ReadEventOptions,
  readEvent,
} from '../../shared/event';
export {
  asFailure,
  Failure,
  type FailureCode,
  type FailureOptions,
  type InputError,
  isUnforwarded,
} from '../../shared/failure';
export {
  type Context,
  type Decorator,
  decorate,
  type Forward,
  type ForwardOptions,
  type Handler,
  type LiveStream,
  type Log,
  type LogFields,
} from '../../shared/handler';
export { readBytes } from '../../shared/http/body';
export { readJson } from '../../shared/http/json';
export { type ProxyOptions, proxyTo } from '../../shared/http/proxy';
export {
  type AnswerOptions,
  empty,
  html,
  json,
  problem,
  stream,
  text,
} from '../../shared/http/response';
export { type WithBodyOptions, withBody } from '../../shared/http/with-body';
export type { Files, Names, Platform } from '../../shared/platform';
export { type Random, systemRandom } from '../../shared/random';
export {
  assertValid,
  type Check,
  compile as compileSchema,
  type Schema,
} from '../../shared/schema';
export { type Catalogue, catalogueOf } from '../../shared/suite/catalogue';
