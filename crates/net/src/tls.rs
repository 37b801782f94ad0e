//! TLS settings: certificates from files, or from an own authority made at the first start.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::aws_lc_rs};

fn invalid(what: &str, error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what}: {error}"))
}

/// Makes the server's settings from a certificate chain and its key, both in PEM. TLS 1.2 and 1.3 (RFC 8996).
pub fn server_config(certificate: &Path, key: &Path) -> io::Result<Arc<ServerConfig>> {
    let name = |path: &Path| path.display().to_string();
    let chain = CertificateDer::pem_file_iter(certificate)
        .map_err(|e| invalid(&name(certificate), e))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| invalid(&name(certificate), e))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| invalid(&name(key), e))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| invalid("TLS", e))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| invalid(&name(certificate), e))?;
    Ok(Arc::new(config))
}

/// The files of an own authority.
#[derive(Debug, Clone)]
pub struct OwnAuthority {
    /// The authority's certificate, which clients are told to trust.
    pub ca: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The server's key.
    pub key: PathBuf,
}

/// Opens the authority kept in a directory, making it when it is not there: a certificate for `names` that it signed.
/// Keys are readable by their owner alone.
pub fn own_authority(directory: &Path, names: &[String]) -> io::Result<OwnAuthority> {
    let files = OwnAuthority {
        ca: directory.join("ca.pem"),
        certificate: directory.join("server.pem"),
        key: directory.join("server.key"),
    };
    if files.ca.exists() && files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    fs::create_dir_all(directory)?;
    let made = |e| invalid("making a certificate", e);
    let ca_key = KeyPair::generate().map_err(made)?;
    let mut ca = CertificateParams::new(Vec::new()).map_err(made)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "Congvu own authority");
    let ca_certificate = ca.self_signed(&ca_key).map_err(made)?;
    let key = KeyPair::generate().map_err(made)?;
    let mut server = CertificateParams::new(names.to_vec()).map_err(made)?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if let Some(name) = names.first() {
        server.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    let certificate = server.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).map_err(made)?;
    write_secret(&directory.join("ca.key"), &ca_key.serialize_pem())?;
    write_secret(&files.key, &key.serialize_pem())?;
    fs::write(&files.certificate, certificate.pem())?;
    fs::write(&files.ca, ca_certificate.pem())?;
    Ok(files)
}

fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Makes the settings for STARTTLS to other servers: opportunistic (RFC 7435), so that any certificate is better than
/// none; a server that must be authenticated is a matter of policies that name it (MTA-STS, DANE).
pub fn opportunistic_client() -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| invalid("TLS", e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Makes the settings of a client that trusts the certificates of one file.
pub fn client_trusting(ca: &Path) -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(|e| invalid("the authority", e))? {
        let certificate = certificate.map_err(|e| invalid("the authority", e))?;
        roots.add(certificate).map_err(|e| invalid("the authority", e))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| invalid("TLS", e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Believes every certificate, but still checks that the peer holds its key.
#[derive(Debug)]
struct Anybody(Arc<tokio_rustls::rustls::crypto::CryptoProvider>);

mod anybody {
    use super::Anybody;
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
    use tokio_rustls::rustls::{
        DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{verify_tls12_signature, verify_tls13_signature},
    };

    impl ServerCertVerifier for Anybody {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }
}
