/** IP addresses as text. Nothing is asked of the system, so that all hosts read them alike. */

/** 4 or 6; 0: it is no IP address. Of IPv6 the forms of RFC 4291 section 2.2, without a zone. */
export const ipFamily = (text: string): 0 | 4 | 6 => {
  if (IPV4.test(text)) return 4;
  return IPV6.test(text) && URL.canParse(`http://[${text}]`) ? 6 : 0;
};

/** Decimal, each without a zero in front, which some would read as octal. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** Digits and colons alone: a URL would read much else into brackets. */
const IPV6 = /^[\da-f:.]{2,45}$/i;
