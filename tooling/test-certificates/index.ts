/** Certificates for TLS servers of tests, made on the spot. */
// oxlint-disable-next-line import/no-unassigned-import -- the certificate library expects it to be loaded
import "reflect-metadata"
import { webcrypto } from "node:crypto"
import * as x509 from "@peculiar/x509"
import { DateTime, Effect } from "effect"

export interface Pair {
  readonly cert: string
  readonly key: string
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
x509.cryptoProvider.set(webcrypto)

interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

const validity = Effect.map(DateTime.now, (now): Validity => ({
  notBefore: DateTime.toDate(DateTime.subtract(now, { minutes: 1 })),
  notAfter: DateTime.toDate(DateTime.add(now, { hours: 1 }))
}))

const toPair = async (certificate: x509.X509Certificate, key: webcrypto.CryptoKey): Promise<Pair> => ({
  cert: certificate.toString("pem"),
  key: `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64")}\n-----END PRIVATE KEY-----\n`
})

/** An authority, and what it has signed: a server certificate for 127.0.0.1 and a client certificate for `commonName`. */
export const make = (commonName: string) => Effect.flatMap(validity, (validity) => Effect.promise(() => issueAll(commonName, validity)))

const issueAll = async (
  commonName: string,
  validity: Validity
): Promise<{ readonly ca: string; readonly server: Pair; readonly client: Pair }> => {
  const authorityKeys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: "CN=test authority",
    ...validity,
    signingAlgorithm: algorithm,
    keys: authorityKeys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)]
  })
  const issue = async (serialNumber: string, subject: string, extensions: Array<x509.Extension>): Promise<Pair> => {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber,
      subject,
      issuer: authority.subjectName,
      ...validity,
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: authorityKeys.privateKey,
      extensions
    })
    return toPair(certificate, keys.privateKey)
  }
  return {
    ca: authority.toString("pem"),
    server: await issue("02", "CN=test server", [
      new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])
    ]),
    client: await issue("03", `CN=${commonName}`, [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])])
  }
}
