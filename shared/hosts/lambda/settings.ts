/** The environment of the Lambda host itself. */
import { type Environment, type Mistake, readConfig, type Settings } from '../../config';
import { SUITE_SETTINGS } from '../../suite/environment';

export const LAMBDA_SETTINGS = {
  LAMBDA_STREAMING: {
    type: 'boolean',
    default: false,
    description:
      'Whether answers go out part by part, as a function URL with InvokeMode RESPONSE_STREAM takes them; behind API Gateway they cannot.',
  },
} as const satisfies Settings;

export interface HostSettings {
  readonly streaming: boolean;
  readonly trustedProxyHops: number;
  /** As it stands there. */
  readonly logLevel: string | undefined;
  /** In settings that nobody else reads. */
  readonly mistakes: readonly Mistake[];
}

export const readHostSettings = (environment: Environment): HostSettings => {
  const { config, mistakes } = readConfig(LAMBDA_SETTINGS, environment, { production: false });
  // The suite reads these as well, and tells what is wrong.
  const { TRUSTED_PROXY_HOPS, LOG_LEVEL } = SUITE_SETTINGS;
  const { config: shared } = readConfig({ TRUSTED_PROXY_HOPS, LOG_LEVEL }, environment, {
    production: false,
  });
  return {
    streaming: config.LAMBDA_STREAMING ?? false,
    trustedProxyHops: shared.TRUSTED_PROXY_HOPS ?? 0,
    logLevel: shared.LOG_LEVEL,
    mistakes,
  };
};
