/** What every run is given: 165 bytes, as a signup may send. */
exports.INPUT = {
  username: 'first-user',
  email: 'first-user@example.com',
  phoneNumber: '+14155550123',
  company: 'Example',
  newsletter: true,
  source: 'https://example.com/welcome',
};
