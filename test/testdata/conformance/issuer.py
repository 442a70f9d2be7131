"""A provider of OpenID Connect on this machine: its keys behind HTTPS, and tokens."""
import base64
import datetime
import hashlib
import http.server
import json
import ssl
import tempfile
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def certificate(key):
    """A certificate of one's own for localhost, as DER."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.DER)


def serve(port, documents, key, der):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(documents[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as pem:
        pem.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        pem.write(ssl.DER_cert_to_PEM_cert(der).encode())
        pem.flush()
        context.load_cert_chain(pem.name)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def token(url, key, audience, expires):
    head = encode(json.dumps({"alg": "RS256", "kid": "one", "typ": "JWT"}).encode())
    claims = encode(json.dumps({"iss": url, "sub": "ann", "aud": audience, "iat": int(time.time()) - 7200, "exp": int(time.time()) + expires}).encode())
    signature = key.sign(f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{head}.{claims}.{encode(signature)}"


def start(url):
    """Serves the keys at the address, and returns what a client of it needs."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_numbers()
    der = certificate(key)
    numbers = {n: encode(v.to_bytes((v.bit_length() + 7) // 8, "big")) for n, v in (("n", public.n), ("e", public.e))}
    serve(int(url.rsplit(":", 1)[1]), {
        "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": url + "/keys"},
        "/keys": {"keys": [{"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig", **numbers}]},
    }, key, der)
    name = url.removeprefix("https://")
    return {
        "Url": url, "Thumbprint": hashlib.sha1(der).hexdigest(),
        "Token": token(url, key, "app", 3600), "Expired": token(url, key, "app", -60), "Stray": token(url, key, "other", 3600),
        "Trust": json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/" + name},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {name + ":sub": "ann"}}}]}),
    }
