//! Admission: each photo waits for a permit of its own, light ones beside heavy ones, and none joins that would wait too
//! long.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::settings::QueueConfig;

/// How much the newest photo says about the latency.
const EWMA_ALPHA: f64 = 0.1;

/// How much work a photo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Some ten milliseconds.
    Light,
    /// Many times that.
    Heavy,
}

/// Photos that wait and photos that are worked on. Heavy ones leave a permit to light ones where there are several.
pub struct Queue {
    config: QueueConfig,
    permits: Arc<Semaphore>,
    heavy_permits: Arc<Semaphore>,
    /// How many of these there are.
    heavy: usize,
    lanes: Mutex<Lanes>,
}

#[derive(Default)]
struct Lanes {
    light: Lane,
    heavy: Lane,
}

/// The photos of one weight.
#[derive(Default)]
struct Lane {
    waiting: usize,
    active: usize,
    started: Option<Instant>,
    finished: Option<Instant>,
    /// Seconds from one photo's end to the next one's while some wait, on average; unknown until one is done.
    latency: Option<f64>,
}

/// There are too many before; the queue needs so long to get through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Full(pub Duration);

/// A photo that waits; dropping it gives up its place.
pub struct Ticket {
    queue: Arc<Queue>,
    weight: Weight,
    joined: Instant,
}

/// A photo that is worked on; dropping it lets in the next one.
pub struct Permit {
    queue: Arc<Queue>,
    weight: Weight,
    /// When it began to wait.
    pub joined: Instant,
    /// How many photos are worked on, this one included.
    pub active: usize,
    /// Whether it is the only one, and none waits.
    pub alone: bool,
    _held: [Option<OwnedSemaphorePermit>; 2],
}

impl Queue {
    /// An empty queue in front of so many permits.
    pub fn new(config: QueueConfig, permits: usize) -> Arc<Self> {
        let heavy = permits.saturating_sub(1).max(1);
        Arc::new(Self {
            config,
            permits: Arc::new(Semaphore::new(permits.max(1))),
            heavy_permits: Arc::new(Semaphore::new(heavy)),
            heavy,
            lanes: Mutex::default(),
        })
    }

    /// Joins with all photos or none. A few may always wait, or the threads would run out of work where each photo takes
    /// long: for heavy ones no more than are worked on at a time. Until the first is done nobody knows how long one takes,
    /// and no more than these may wait.
    pub fn join(self: &Arc<Self>, photos: &[Weight]) -> Result<Vec<Ticket>, Full> {
        let mut lanes = self.lock();
        let room = lanes.waiting() + photos.len() <= self.config.capacity;
        for &weight in photos {
            let lane = lanes.of(weight);
            let wait = lane.wait();
            let patient = wait.is_some_and(|wait| wait <= self.config.patience);
            let always = match weight {
                Weight::Light => self.config.active,
                Weight::Heavy => self.config.active.min(self.heavy),
            };
            if !room || !patient && lane.waiting >= always {
                // What is under way for the first time may well take as long again as it has taken.
                let so_far = || lane.started.map_or(Duration::ZERO, |started| started.elapsed());
                return Err(Full(wait.unwrap_or_else(so_far)));
            }
        }
        let joined = Instant::now();
        let tickets = photos.iter().map(|&weight| {
            lanes.of(weight).waiting += 1;
            Ticket { queue: Arc::clone(self), weight, joined }
        });
        Ok(tickets.collect())
    }

    /// How many photos wait.
    pub fn len(&self) -> usize {
        self.lock().waiting()
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    fn of(&mut self, weight: Weight) -> &mut Lane {
        match weight {
            Weight::Light => &mut self.light,
            Weight::Heavy => &mut self.heavy,
        }
    }

    fn waiting(&self) -> usize {
        self.light.waiting + self.heavy.waiting
    }

    /// Starts a photo, whose ticket still counts among those that wait; returns how many are active, and whether it is
    /// the only one.
    fn start(&mut self, weight: Weight) -> (usize, bool) {
        let lane = self.of(weight);
        lane.active += 1;
        lane.started = Some(Instant::now());
        let active = self.light.active + self.heavy.active;
        (active, active == 1 && self.waiting() == 1)
    }
}

impl Lane {
    /// How long a photo that joins now would wait, if anybody knows.
    fn wait(&self) -> Option<Duration> {
        // Of those under way, half are done on average.
        let ahead = self.waiting as f64 + self.active as f64 / 2.0;
        self.latency.map(|latency| Duration::from_secs_f64(ahead * latency))
    }

    fn record_latency(&mut self, latency: Duration) {
        let latency = latency.as_secs_f64();
        let known = self.latency.unwrap_or(latency);
        self.latency = Some(known * (1.0 - EWMA_ALPHA) + latency * EWMA_ALPHA);
    }
}

impl Ticket {
    /// Waits for the photo's turn; photos of one weight get theirs in the order they joined.
    ///
    /// # Errors
    /// None as long as the queue lives, which does not close.
    pub async fn permit(self) -> Result<Permit, AcquireError> {
        let queue = Arc::clone(&self.queue);
        let heavy = match self.weight {
            Weight::Light => None,
            Weight::Heavy => Some(Arc::clone(&queue.heavy_permits).acquire_owned().await?),
        };
        let permit = Arc::clone(&queue.permits).acquire_owned().await?;
        let (active, alone) = queue.lock().start(self.weight);
        let _held = [Some(permit), heavy];
        Ok(Permit { queue, weight: self.weight, joined: self.joined, active, alone, _held })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.queue.lock().of(self.weight).waiting -= 1;
    }
}

impl Permit {
    /// Learns from a photo that is done how long the next ones will take.
    pub fn record_latency(&self) {
        let (mut lanes, now) = (self.queue.lock(), Instant::now());
        let lane = lanes.of(self.weight);
        // Photos side by side, and those that came after a pause, count with what they added.
        let since = lane.finished.map_or(self.joined, |finished| finished.max(self.joined));
        lane.record_latency(now.saturating_duration_since(since));
        lane.finished = Some(now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.queue.lock().of(self.weight).active -= 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::Weight::{Heavy, Light};
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn queue(capacity: usize, patience: Duration, active: usize, permits: usize) -> Arc<Queue> {
        Queue::new(QueueConfig { capacity, patience, active }, permits)
    }

    /// The permit, where it is to be had at once.
    fn at_once(permit: impl Future<Output = Result<Permit, AcquireError>>) -> Option<Permit> {
        match pin!(permit).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(permit) => Some(permit.unwrap()),
            Poll::Pending => None,
        }
    }

    fn one(queue: &Arc<Queue>, weight: Weight) -> Ticket {
        queue.join(&[weight]).unwrap().remove(0)
    }

    #[tokio::test]
    async fn photos_have_their_turn_in_the_order_they_came_and_a_full_queue_refuses() {
        let queue = queue(3, LONG, 3, 1);
        let mut tickets = queue.join(&[Light; 2]).unwrap();
        assert!(queue.join(&[Light; 2]).is_err(), "all or none");
        tickets.append(&mut queue.join(&[Light]).unwrap());
        assert_eq!(queue.len(), 3);
        let order = Mutex::new(Vec::new());
        let turns = tickets.into_iter().enumerate().map(|(number, ticket)| {
            let order = &order;
            async move {
                let permit = ticket.permit().await.unwrap();
                order.lock().unwrap().push(number);
                tokio::task::yield_now().await;
                drop(permit);
            }
        });
        futures_util::future::join_all(turns).await;
        assert_eq!(order.into_inner().unwrap(), [0, 1, 2]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn a_dropped_ticket_frees_its_place() {
        let queue = queue(2, LONG, 2, 1);
        let mut tickets = queue.join(&[Light; 2]).unwrap();
        drop(tickets.remove(0));
        assert_eq!(queue.len(), 1);
        let _third = one(&queue, Light);
        assert!(queue.join(&[Light]).is_err());
        drop(tickets);
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn a_photo_that_would_wait_too_long_is_refused_with_the_time_but_a_few_may_always_wait() {
        let queue = queue(100, Duration::from_secs(3), 2, 2);
        queue.lock().light.record_latency(Duration::from_secs(4));
        let (first, second) = (one(&queue, Light), one(&queue, Light));
        assert_eq!(queue.join(&[Light]).err(), Some(Full(Duration::from_secs(8))));
        let _active = [first, second].map(|ticket| at_once(ticket.permit()).unwrap());
        assert!(queue.join(&[Light]).is_ok());
    }

    #[test]
    fn before_the_latency_is_known_a_few_wait_and_others_learn_what_the_first_has_taken() {
        let queue = queue(100, LONG, 2, 1);
        let active = at_once(one(&queue, Light).permit()).unwrap();
        let _waiting = queue.join(&[Light; 3]).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        match queue.join(&[Light]).err() {
            Some(Full(wait)) => assert!(wait >= Duration::from_millis(20), "{wait:?}"),
            other => unreachable!("{other:?}"),
        }
        active.record_latency();
        drop(active);
        assert!(queue.join(&[Light]).is_ok());
    }

    #[test]
    fn light_photos_pass_heavy_ones() {
        let queue = queue(100, LONG, 9, 2);
        let heavy = at_once(one(&queue, Heavy).permit()).unwrap();
        let mut waits = pin!(one(&queue, Heavy).permit());
        let mut context = Context::from_waker(Waker::noop());
        assert!(waits.as_mut().poll(&mut context).is_pending(), "one permit is kept for light photos");
        let light = at_once(one(&queue, Light).permit()).unwrap();
        assert!(at_once(one(&queue, Light).permit()).is_none(), "there are two permits");
        drop(light);
        assert!(waits.as_mut().poll(&mut context).is_pending());
        drop(heavy);
        assert!(waits.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn heavy_photos_do_not_make_light_ones_look_slow() {
        let queue = queue(100, Duration::from_secs(3), 1, 2);
        queue.lock().heavy.record_latency(Duration::from_secs(4));
        queue.lock().light.record_latency(Duration::from_secs(1));
        let _heavy = one(&queue, Heavy);
        assert_eq!(queue.join(&[Heavy]).err(), Some(Full(Duration::from_secs(4))));
        let _light = [(); 4].map(|()| one(&queue, Light));
        assert_eq!(queue.join(&[Light]).err(), Some(Full(Duration::from_secs(4))));
        assert_eq!(queue.join(&[Light, Heavy]).err(), Some(Full(Duration::from_secs(4))));
    }

    #[test]
    fn photos_side_by_side_count_with_what_they_added() {
        let queue = queue(100, LONG, 2, 2);
        let photos = [one(&queue, Light), one(&queue, Light)].map(|ticket| at_once(ticket.permit()).unwrap());
        std::thread::sleep(Duration::from_millis(20));
        photos[0].record_latency();
        let first = queue.lock().light.latency.unwrap();
        photos[1].record_latency();
        assert!(first >= 0.02 && queue.lock().light.latency.unwrap() < first);
    }
}
