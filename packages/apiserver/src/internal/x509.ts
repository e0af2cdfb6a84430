/**
 * Makes certificates. Loaded only when one has to be made: the library behind it takes longer to load than everything else
 * that a server needs at start.
 */
// oxlint-disable-next-line import/no-unassigned-import -- the library below looks for it when it is loaded
import "reflect-metadata"
import * as x509 from "@peculiar/x509"
import * as DateTime from "effect/DateTime"
import { webcrypto } from "node:crypto"
import { isIP } from "node:net"

/** What to put into a certificate. Times are milliseconds since the epoch. */
export interface Request {
  readonly commonName: string
  readonly organizations: ReadonlyArray<string>
  readonly names: ReadonlyArray<string>
  readonly usages: ReadonlyArray<"clientAuth" | "serverAuth">
  readonly notBefore: number
  readonly notAfter: number
}

/** A certificate and its private key (PKCS #8), as PEM. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

/** Of the keys of this authority. */
export const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

const usageOids = { clientAuth: x509.ExtendedKeyUsage.clientAuth, serverAuth: x509.ExtendedKeyUsage.serverAuth }

const dateOf = (millis: number): Date => DateTime.toDateUtc(DateTime.unsafeMake(millis))

const subject = (commonName: string, organizations: ReadonlyArray<string>): x509.JsonName => [
  ...organizations.map((organization) => ({ O: [organization] })),
  { CN: [commonName] }
]

/** RFC 5280: at most 20 octets and positive. */
export const serialNumber = (): string => {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return Buffer.from(bytes).toString("hex")
}

const pem = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString("base64").replaceAll(/(.{64})(?=.)/g, "$1\n")}\n-----END ${label}-----\n`

/** The bytes of a PEM block. */
export const fromPem = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(text.replaceAll(/-----[^-]+-----|\s/g, ""), "base64"))

const generateKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])

const toPair = async (certificate: x509.X509Certificate, key: webcrypto.CryptoKey): Promise<Pair> => ({
  cert: `${certificate.toString("pem").trimEnd()}\n`,
  key: pem("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", key))
})

/** A self-signed certificate authority that signs leaf certificates only. */
export const createAuthority = async (
  request: Pick<Request, "commonName" | "notBefore" | "notAfter">
): Promise<Pair> => {
  x509.cryptoProvider.set(webcrypto)
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: subject(request.commonName, []),
    notBefore: dateOf(request.notBefore),
    notAfter: dateOf(request.notAfter),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)
    ]
  })
  return toPair(certificate, keys.privateKey)
}

/** A certificate signed by `authority`, with a key of its own. */
export const issue = async (authority: Pair, request: Request): Promise<Pair> => {
  x509.cryptoProvider.set(webcrypto)
  const issuer = new x509.X509Certificate(authority.cert)
  const signingKey = await webcrypto.subtle.importKey("pkcs8", fromPem(authority.key), algorithm, false, ["sign"])
  const keys = await generateKeys()
  const names = request.names.map((name): x509.JsonGeneralName => ({ type: isIP(name) === 0 ? "dns" : "ip", value: name }))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subject(request.commonName, request.organizations),
    issuer: issuer.subjectName,
    notBefore: dateOf(request.notBefore),
    notAfter: dateOf(request.notAfter),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(request.usages.map((usage) => usageOids[usage])),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)])
    ]
  })
  return toPair(certificate, keys.privateKey)
}
