//! Where the page is, and who may look.

use anyhow::{Context, Result, bail};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// The page on the command line.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct PageArgs {
    /// Show frames or windows live on a page of this machine, as 127.0.0.1:8080; with /metrics and /healthz
    #[arg(long, value_name = "ADDR", help_heading = "The page")]
    listen: Option<SocketAddr>,
    /// Let other machines look: everybody who reaches the address, without a password
    #[arg(long, requires = "listen", help_heading = "The page")]
    allow_remote: bool,
}

impl PageArgs {
    /// Takes the address.
    pub(crate) fn bind(&self) -> Result<Option<(TcpListener, Guests)>> {
        let Some(address) = self.listen else {
            return Ok(None);
        };
        if !address.ip().is_loopback() && !self.allow_remote {
            bail!(
                "--listen {address}: other machines could look at it; \
                 --allow-remote says that they may, 127.0.0.1 is this machine alone"
            );
        }
        let listener = TcpListener::bind(address);
        let listener = listener.with_context(|| format!("--listen {address}"))?;
        let guests = Guests {
            anybody: self.allow_remote,
        };
        Ok(Some((listener, guests)))
    }
}

/// Whose requests are answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guests {
    anybody: bool,
}

impl Guests {
    /// Whether a request for this host is answered. A page elsewhere could have its own name mean this machine, and
    /// read along in a browser here; its requests still carry that name.
    pub(super) fn may_ask_for(self, host: Option<&str>) -> bool {
        self.anybody || host.is_some_and(is_this_machine)
    }
}

/// Whether a Host header is a name of this machine, with a port or without.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let address = [
        name.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        name.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
    ];
    name.eq_ignore_ascii_case("localhost") || address.iter().flatten().any(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for own in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:1",
            "[::1]",
        ] {
            assert!(is_this_machine(own), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "127.0.0.1.evil.example:80",
            "192.168.0.1",
            "[::2]",
            "localhost.:1",
        ] {
            assert!(!is_this_machine(foreign), "{foreign}");
        }
        let guests = |anybody| Guests { anybody };
        assert!(!guests(false).may_ask_for(None));
        assert!(guests(true).may_ask_for(Some("evil.example")));
    }

    #[test]
    fn other_machines_are_let_in_only_where_it_is_said() {
        let args = |listen: &str, allow_remote| PageArgs {
            listen: Some(listen.parse().unwrap()),
            allow_remote,
        };
        let refused = args("0.0.0.0:0", false).bind().unwrap_err().to_string();
        assert!(refused.contains("--allow-remote"), "{refused}");
        assert!(args("0.0.0.0:0", true).bind().unwrap().is_some());
        let (taken, _) = args("127.0.0.1:0", false).bind().unwrap().unwrap();
        let again = args(&taken.local_addr().unwrap().to_string(), false).bind();
        assert!(format!("{:#}", again.unwrap_err()).contains("in use"));
    }
}
