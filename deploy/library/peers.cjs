/**
 * What the library asks for where it is used, instead of bringing it: most functions need none of them, and together they
 * are thirty times what is left. In this repository they are dependencies like any other, so that all runs.
 *
 * By package, what each is there for: the words of the error when it is missing.
 */
exports.PEERS = {
  '@google-cloud/functions-framework': 'to serve with functions-framework',
  '@redis/client': 'for a store at a redis:// URL',
  axios: 'to call webhooks and steps of pipelines',
  'libphonenumber-js': 'to read phone numbers',
  libsql: 'for sqlite: and local: URLs, the defaults of development',
  nodemailer: 'to send mails',
  twilio: 'to send messages by SMS',
};
