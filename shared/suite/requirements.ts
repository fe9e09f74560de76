/** What the served functions need of the environment, and whether the addresses in it can work. */
import type { Mistake } from '../config';
import type { Need } from '../define';
import { checkEngineUrl } from '../pipeline/open';
import { checkStoreUrl } from '../store/open';
import { NEEDED_SETTINGS, SUITE_SETTINGS, type SuiteConfig } from './environment';

/** Production has no defaults: each part that a served function uses must be set. */
export const missingSettings = (
  needs: ReadonlySet<Need>,
  config: SuiteConfig,
): readonly Mistake[] => {
  const names = new Set([...needs].flatMap((need) => NEEDED_SETTINGS[need]));
  return [...names]
    .filter((name) => config[name] === undefined)
    .map((name) => ({
      name,
      message: `is required in production: ${SUITE_SETTINGS[name].description}`,
    }));
};

export const checkAddresses = ({ STORE_URL, ENGINE_URL }: SuiteConfig): readonly Mistake[] => {
  const mistakes: Mistake[] = [];
  const store = STORE_URL === undefined ? undefined : checkStoreUrl(STORE_URL);
  if (store) mistakes.push({ name: 'STORE_URL', message: store });
  const engine = ENGINE_URL === undefined ? undefined : checkEngineUrl(ENGINE_URL);
  if (engine) mistakes.push({ name: 'ENGINE_URL', message: engine });
  return mistakes;
};
