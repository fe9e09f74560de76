/** The id of a request, as a caller gave it. */

const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;

/** The field `x-request-id` when it is well formed: it goes into logs and answers. */
export const givenRequestId = (field: string | null): string | undefined =>
  field !== null && REQUEST_ID.test(field) ? field : undefined;
