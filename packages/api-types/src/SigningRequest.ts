/** Certificate signing requests: the PKCS#10 text in `spec.request` of a CertificateSigningRequest. */

/**
 * What such a text asks for, once it is read: who the certificate is to be for, and the names it is to have besides.
 *
 * @category models
 */
export interface Contents {
  readonly commonName: string
  readonly organizations: ReadonlyArray<string>
  readonly dnsNames: ReadonlyArray<string>
  readonly ipAddresses: ReadonlyArray<string>
  readonly emailAddresses: ReadonlyArray<string>
  readonly uris: ReadonlyArray<string>
}
