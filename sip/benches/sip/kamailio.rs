//! Kamailio, with its locations in memory.

use std::{
    fs,
    net::{SocketAddr, UdpSocket},
    path::Path,
    process::Command,
    time::Duration,
};

use crate::{
    phones::{DOMAIN, PASSWORD},
    server::Server,
};

/// What a benchmark has it do: further lines of modules, and `request_route`'s.
#[derive(Clone, Copy)]
pub(crate) struct Role {
    pub(crate) modules: &'static str,
    pub(crate) route: &'static str,
}

/// Digest by MD5 with a nonce that is checked, four workers on one socket, as its documentation has it for one core or few.
fn config(address: SocketAddr, modules: &str, role: Role) -> String {
    let more = role.modules;
    let route = role.route.replace("DOMAIN", DOMAIN).replace("PASSWORD", PASSWORD);
    format!(
        r#"#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=4
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
server_signature=no
listen=udp:{address}
mpath="{modules}"
loadmodule "kex.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "nathelper.so"
loadmodule "jsonrpcs.so"
modparam("jsonrpcs", "transport", 0)
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "hash_size", 14)
modparam("registrar", "max_expires", 3600)
modparam("registrar", "default_expires", 300)
modparam("auth", "nonce_expire", 300)
{more}
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    force_rport();
{route}
}}
"#
    )
}

pub(crate) fn start(folder: &Path, role: Role) -> Server {
    let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let places = ["/usr/lib/x86_64-linux-gnu/kamailio/modules/", "/usr/lib/aarch64-linux-gnu/kamailio/modules/"];
    let modules = places.into_iter().find(|place| Path::new(place).is_dir()).expect("kamailio's modules");
    let file = folder.join("kamailio.cfg");
    fs::write(&file, config(address, modules, role)).unwrap();
    let mut command = Command::new("taskset");
    command.args(["-c", "0", "kamailio", "-DD", "-E", "-m", "1024", "-M", "16", "-f"]).arg(&file);
    command.arg("-Y").arg(folder).arg("-P").arg(folder.join("kamailio.pid"));
    let server = Server::at("Kamailio", &mut command, address);
    wait_for(address);
    server
}

/// Asks until something is answered.
fn wait_for(address: SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    socket.connect(address).unwrap();
    let from = socket.local_addr().unwrap();
    let question = format!(
        "OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKready;rport\r\nMax-Forwards: 9\r\n\
         From: <sip:x@{DOMAIN}>;tag=1\r\nTo: <sip:x@{DOMAIN}>\r\nCall-ID: ready\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let mut answer = [0; 2048];
    for _ in 0..100 {
        // Refused while nobody listens.
        let _ = socket.send(question.as_bytes());
        if socket.recv(&mut answer).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("kamailio does not answer");
}
