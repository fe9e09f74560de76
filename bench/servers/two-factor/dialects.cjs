/**
 * How each server is asked. `issue` and `verify` give { path, body }; `told` gives what `verify` needs of the answer;
 * `to` is whom the code goes to. Nobody asks twice for the same `name`.
 */

const AREAS = [201, 202, 212, 213, 305, 312, 415, 617, 702, 713];
/** Mobile numbers that are spread over as many prefixes as there are, as those of people are. */
const phone = (name) => {
  const area = AREAS[name % AREAS.length];
  const rest = Math.floor(name / AREAS.length);
  const line = String(Math.floor(rest / 700) % 10_000).padStart(4, '0');
  return `+1${area}${230 + (rest % 700)}${line}`;
};

exports.SEEDS = 64;
/** Those whom the server knew from the start. */
exports.seedPhone = (i) => `+4915112345${String(i).padStart(3, '0')}`;
exports.seedMail = (i) => `seed-${i}@example.com`;

exports.DIALECTS = {
  ours: {
    headers: { authorization: `Bearer ${process.env.CALLER_TOKEN}` },
    to: phone,
    /** Whom a pair is for: always somebody new. */
    pairFor: phone,
    issue: (to) => ({ path: '/', body: { user: `user ${to}`, phoneNumber: to } }),
    told: ({ challenge }) => challenge,
    verify: (_, code, challenge) => ({ path: '/verify', body: { challenge, code } }),
    statuses: { issued: 202, verified: 200, wrong: 401 },
  },
  'phone-number': {
    to: phone,
    /** Whom it knows: to make a user would be more work. */
    pairFor: (_, worker) => exports.seedPhone(worker),
    issue: (to) => ({ path: '/api/auth/phone-number/send-otp', body: { phoneNumber: to } }),
    verify: (to, code) => ({
      path: '/api/auth/phone-number/verify',
      body: { phoneNumber: to, code, disableSession: true },
    }),
    statuses: { issued: 200, verified: 200, wrong: 400 },
  },
  'email-otp': {
    to: (name) => `user-${name}@example.com`,
    pairFor: (_, worker) => exports.seedMail(worker),
    issue: (to) => ({
      path: '/api/auth/email-otp/send-verification-otp',
      body: { email: to, type: 'sign-in' },
    }),
    verify: (to, code) => ({ path: '/api/auth/sign-in/email-otp', body: { email: to, otp: code } }),
    statuses: { issued: 200, verified: 200, wrong: 400 },
  },
};
