//! Ports of 127.0.0.1.

use std::{
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    time::Duration,
};

use anyhow::Context;
use rand::RngExt;
use tokio::{net::TcpStream, time::timeout};

/// Below the ports that the system gives to outgoing connections: one of those could take a server's port while the
/// server is stopped.
const PORTS: Range<u16> = 20_000..32_000;
/// Loopback answers at once or never.
const TO_CONNECT: Duration = Duration::from_secs(2);

/// Whether no program listens on a port.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A random port that is free.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let mut rng = rand::rng();
    let free = (0..100).map(|_| rng.random_range(PORTS)).find(|port| is_free(*port));
    free.with_context(|| {
        format!(
            "found no free port on 127.0.0.1 between {} and {}\n  list the ports in use: netstat -an",
            PORTS.start, PORTS.end
        )
    })
}

/// Whether a program accepts connections on a port.
pub(crate) async fn reachable(port: u16) -> bool {
    matches!(timeout(TO_CONNECT, TcpStream::connect((Ipv4Addr::LOCALHOST, port))).await, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_not_free() {
        let port = free_port().unwrap();
        assert!(PORTS.contains(&port));
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
    }
}
