/** Six octets of two lower case digits each: the host prints octets without leading zeros. */
export const normalizeMac = (mac: string): string =>
  mac.toLowerCase().split(":").map((octet) => octet.padStart(2, "0")).join(":")
