//! baresip as the agent's softphone: it answers by itself or on command, speaks with a tone, and writes down what it hears.

use std::{f64::consts::TAU, fs};

use serde_json::Value;
use tokio::sync::mpsc;

use super::{AGENT, LIMIT, free_ports, in_time};
use crate::sip::{
    SipHouse,
    softphones::{Running, baresip::Baresip},
};

/// RTP and RTCP, of a call and one more.
const PORTS: u16 = 4;
/// Of its recordings.
const RATE: f64 = 8_000.0;

const SOUND: &str = "\
audio_source ausine,880
ausrc_srate 48000
ausrc_channels 2
auplay_srate 8000
auplay_channels 1
rtcp_mux no
module ausine.so
module sndfile.so
snd_path FOLDER
";

pub(super) struct Phone {
    baresip: Baresip,
    running: Running,
    /// That a call comes in.
    rings: mpsc::Receiver<()>,
}

impl Phone {
    /// With Ada's account; answers once it is registered. `answers`: `auto` or `manual`.
    pub(super) async fn registers(house: &SipHouse, account: &Value, answers: &str) -> Self {
        assert!(SOUND.contains(&AGENT.to_string()));
        let codecs = format!(";audio_codecs=PCMU/8000/1;ptime=20;answermode={answers}");
        // It draws its ports by the second in which it starts, and takes such as another has: those of its own are none's.
        let ports = free_ports(PORTS);
        let sound = format!("{SOUND}rtp_ports {ports}-{}\n", ports + PORTS - 1);
        let baresip = Baresip::with(account, house.at, "udp", 60, (&codecs, &sound));
        let before = house.ada().get("/me/sip").await.body["bindings"].as_array().unwrap().len();
        let (tell, rings) = mpsc::channel(1);
        let running = baresip.start_with(move |line| {
            if line.contains("Incoming call from") {
                let _told_already = tell.try_send(());
            }
        });
        house.until(|phones| phones.len() > before).await;
        Self { baresip, running, rings }
    }

    /// Rejects the call that rings, once it does: 486.
    pub(super) async fn rejects(&mut self) {
        in_time(self.rings.recv(), "baresip rings").await.expect("baresip runs");
        self.running.say("/hangup");
    }

    /// After its call: waits until its recording is whole, and answers whether this pitch is in it.
    pub(super) async fn heard(&self, hz: u32) -> bool {
        let listening = async {
            loop {
                if self.recording().is_some_and(|samples| has_tone(&samples, f64::from(hz))) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, listening).await.is_ok()
    }

    /// What was decoded in its latest call, as far as it is written.
    fn recording(&self) -> Option<Vec<f64>> {
        let files = fs::read_dir(self.baresip.path()).unwrap().map(|file| file.unwrap().path());
        let latest = files.filter(|path| path.to_string_lossy().ends_with("-dec.wav")).max()?;
        let bytes = fs::read(latest).unwrap();
        let samples = bytes.get(44..)?.chunks_exact(2);
        Some(samples.map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]]))).collect())
    }
}

/// Samples of two packets: what lies between packets that were lost is whole.
const BLOCK: usize = 320;
const SAMPLES: f64 = 320.0;

/// Whether somewhere most of the energy is of this pitch, by the discrete Fourier transform of that alone.
fn has_tone(samples: &[f64], hz: f64) -> bool {
    samples.chunks_exact(BLOCK).any(|block| {
        let energy: f64 = block.iter().map(|sample| sample * sample).sum();
        let wave = |of: fn(f64) -> f64| -> f64 {
            let turn = TAU * hz / RATE;
            block.iter().zip(0_u32..).map(|(sample, at)| sample * of(turn * f64::from(at))).sum()
        };
        let (real, imaginary) = (wave(f64::cos), wave(f64::sin));
        let power = (real * real + imaginary * imaginary) * 2.0 / SAMPLES;
        energy > SAMPLES * 3_600.0 && power > 0.6 * energy
    })
}

#[test]
fn a_tone_is_told_from_another_and_from_silence() {
    let sine =
        |hz: f64| -> Vec<f64> { (0..3_200).map(|at| 8_000.0 * (TAU * hz * f64::from(at) / RATE).sin()).collect() };
    assert!(has_tone(&sine(660.0), 660.0) && !has_tone(&sine(880.0), 660.0) && !has_tone(&[0.0; 3_200], 660.0));
}
