//! Listening on an address until the process is asked to stop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use lineament::Tagger;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::service::Service;
use crate::settings::Settings;

/// How long a connection may take over the head of a request, and how long it may idle between two.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// Threads that talk to clients; they only move bytes.
const IO_THREADS: usize = 2;

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be had.
    #[error("{address} cannot be listened on: {cause}; choose another address or port, or stop what uses it")]
    Address {
        /// The address.
        address: SocketAddr,
        /// As the system gives it.
        cause: io::Error,
    },
    /// The system gives no threads or signals.
    #[error("the service cannot be started: {0}; give it fewer threads")]
    System(#[from] io::Error),
}

/// Serves until the process gets SIGTERM or Ctrl-C, then answers what is under way and returns. `ready` is called once with the
/// address that is listened on.
///
/// # Errors
/// An address that cannot be had, or a system that gives no threads.
pub fn run(tagger: Tagger, settings: Settings, ready: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .thread_name("lineament-io")
        .enable_io()
        .enable_time()
        .build()?;
    runtime.block_on(async {
        let address = settings.address;
        let listener =
            TcpListener::bind(address).await.map_err(|cause| ServeError::Address { address, cause })?;
        // Before the address is known to anybody, so that no signal is missed.
        let stop = stop_signal()?;
        ready(listener.local_addr()?);
        let service = Service::start(tagger, settings)?;
        serve(listener, &service, stop).await;
        Ok(())
    })
}

/// Serves on a listener until `stop` is ready, then answers what is under way, for as long as a request may take at most.
async fn serve(listener: TcpListener, service: &Arc<Service>, stop: impl Future<Output = ()>) {
    let limits = service.settings().limits;
    let router = service.router();
    let connections = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let accepted = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, or a client that left: others may do better in a moment.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        // Answers are small; waiting to fill packets only delays them.
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = open.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is no failure of ours.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    service.stop();
    let longest = limits.time + limits.time;
    let _ = tokio::time::timeout(longest, open.shutdown()).await;
}

/// Ready when the process is asked to stop.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
