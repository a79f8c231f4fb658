//! Draws one person: body, head, features and what they wear.
//!
//! Local units: the origin is the head's middle, a unit is half its height, down and right are positive.

use lineament::{Point, Rect};

use super::canvas::{Canvas, Colour, Coord, Frame, Ink, Shape, mix, times};
use super::hair;
use super::person::{Beard, Length, Look, Person};

/// Height of the eyes, of the nose's tip and of the mouth.
const EYES: f32 = -0.05;
const NOSE: f32 = 0.3;
const MOUTH: f32 = 0.6;

/// A face to draw: who, how, and where.
pub(super) struct Face<'a> {
    pub(super) person: &'a Person,
    pub(super) look: &'a Look,
    pub(super) frame: Frame,
}

impl Face<'_> {
    /// The box from the forehead to the chin, upright, in pixels.
    pub(super) fn rect(&self) -> Rect {
        let middle = self.frame.to_canvas([self.look.yaw * 0.6, 0.18]);
        Rect::about(middle, 1.84 * self.person.width * self.frame.scale, 1.64 * self.frame.scale)
    }

    /// Eyes, nose and corners of the mouth, in pixels.
    pub(super) fn landmarks(&self) -> [Point; 5] {
        let gap = self.person.eye_gap;
        let corner = self.mouth_width();
        [[-gap, EYES], [gap, EYES], [0.0, NOSE], [-corner, MOUTH], [corner, MOUTH]]
            .map(|[x, y]| self.frame.to_canvas([x + self.forward(y), y]))
    }

    /// How far features move sideways when the head turns; the nose most.
    fn forward(&self, y: f32) -> f32 {
        self.look.yaw * if (NOSE - y).abs() < 0.01 { 1.5 } else { 1.0 }
    }

    fn mouth_width(&self) -> f32 {
        if self.look.smiling { 0.31 } else { 0.24 }
    }

    /// Draws everything, from the back to the front.
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        self.draw_back(canvas);
        self.draw_front(canvas);
    }

    /// Draws what the faces of others may stand in front of: hair that falls, and the body.
    pub(super) fn draw_back(&self, canvas: &mut Canvas) {
        hair::draw_behind(self, canvas);
        self.draw_body(canvas);
    }

    /// Draws the head.
    pub(super) fn draw_front(&self, canvas: &mut Canvas) {
        self.draw_head(canvas);
        self.draw_cheeks(canvas);
        self.draw_beard(canvas);
        self.draw_nose(canvas);
        self.draw_mouth(canvas);
        for side in [-1.0, 1.0] {
            self.draw_eye(canvas, side);
        }
        self.draw_age(canvas);
        hair::draw_in_front(self, canvas);
        self.draw_jewellery(canvas);
        if let Some(colour) = self.look.hat {
            hair::draw_hat(self, canvas, colour);
        }
        if self.look.glasses {
            self.draw_glasses(canvas);
        }
    }

    pub(super) fn fill(&self, canvas: &mut Canvas, shape: &Shape, ink: Ink) {
        canvas.fill(self.frame, shape, ink);
    }

    /// The head's outline, enlarged about its middle: an egg whose lower half narrows towards the jaw.
    pub(super) fn outline(&self, factor: f32) -> Shape {
        let (width, jaw) = (self.person.width, self.person.jaw);
        let corners = (0..40).map(|step| {
            let (sin, cos) = (step as f32 * std::f32::consts::TAU / 40.0).sin_cos();
            let narrow = if sin > 0.0 { 1.0 - (1.0 - jaw) * sin.powi(2) * (1.0 + (1.0 - sin)) } else { 1.0 };
            [cos * width * narrow * factor, sin * factor]
        });
        Shape::Polygon(corners.collect())
    }

    pub(super) fn skin(&self) -> Ink {
        Ink::plain(self.person.skin).lit(self.look.light)
    }

    fn shadow(&self) -> Colour {
        times(self.person.skin, 0.62)
    }

    fn draw_body(&self, canvas: &mut Canvas) {
        let wide = if self.person.male { 1.9 } else { 1.55 } + if self.person.chubby { 0.25 } else { 0.0 };
        let body = Shape::Polygon(vec![
            [-0.4, 1.35],
            [-wide * 0.75, 1.62],
            [-wide, 2.1],
            [-wide * 1.05, 7.0],
            [wide * 1.05, 7.0],
            [wide, 2.1],
            [wide * 0.75, 1.62],
            [0.4, 1.35],
        ]);
        self.fill(canvas, &body, Ink::plain(self.look.clothes).lit(self.look.light / 2.0));
        let neck =
            if self.person.male { 0.44 } else { 0.35 } + if self.person.double_chin { 0.12 } else { 0.0 };
        let shape = Shape::Polygon(vec![
            [-neck, 0.5],
            [neck, 0.5],
            [neck * 1.15, 1.42],
            [0.0, 1.75],
            [-neck * 1.15, 1.42],
        ]);
        self.fill(canvas, &shape, Ink::plain(times(self.person.skin, 0.84)).lit(self.look.light));
        if let Some(colour) = self.look.necktie {
            self.draw_necktie(canvas, colour);
        }
    }

    fn draw_necktie(&self, canvas: &mut Canvas, colour: Colour) {
        let shirt = Ink::plain([242.0, 242.0, 246.0]);
        for side in [-1.0, 1.0] {
            let collar =
                Shape::Polygon(vec![[0.0, 1.72], [side * 0.5, 1.32], [side * 0.72, 1.6], [side * 0.28, 2.1]]);
            self.fill(canvas, &collar, shirt);
        }
        self.fill(canvas, &Shape::Polygon(vec![[-0.3, 1.7], [0.3, 1.7], [0.5, 7.0], [-0.5, 7.0]]), shirt);
        let knot = Shape::Polygon(vec![[-0.17, 1.58], [0.17, 1.58], [0.1, 1.86], [-0.1, 1.86]]);
        self.fill(canvas, &knot, Ink::plain(times(colour, 0.8)));
        let blade = Shape::Polygon(vec![[-0.1, 1.84], [0.1, 1.84], [0.3, 4.5], [-0.3, 4.5]]);
        self.fill(canvas, &blade, Ink::plain(colour));
    }

    fn draw_head(&self, canvas: &mut Canvas) {
        let width = self.person.width;
        for side in [-1.0, 1.0] {
            let ear = Shape::Ellipse([side * width * 1.0, 0.06], [0.12, 0.2]);
            self.fill(canvas, &ear, Ink::plain(times(self.person.skin, 0.88)).lit(self.look.light));
        }
        // A soft shadow on the neck parts the chin from it.
        let chin = Shape::Ellipse([0.0, 0.92], [width * 0.6, 0.24]);
        self.fill(canvas, &chin, Ink::plain(self.shadow()).thin(0.5).soft(0.12));
        if self.person.double_chin {
            let roll = Shape::Ellipse([0.0, 0.92], [width * 0.72, 0.28]);
            self.fill(canvas, &roll, self.skin());
            let fold = Shape::arc([-width * 0.5, 1.04], [0.0, 1.21], [width * 0.5, 1.04], 0.025);
            self.fill(canvas, &fold, Ink::plain(self.shadow()).thin(0.8));
        }
        self.fill(canvas, &self.outline(1.0), self.skin());
        if self.person.double_chin {
            let chin = Shape::arc([-width * 0.42, 0.9], [0.0, 1.0], [width * 0.42, 0.9], 0.03);
            self.fill(canvas, &chin, Ink::plain(self.shadow()).thin(0.75));
        }
        if self.person.length == Length::Bald {
            let shine = Shape::Ellipse([-0.2 + self.look.light, -0.68], [0.24, 0.13]);
            self.fill(canvas, &shine, Ink::plain([255.0; 3]).thin(0.35).soft(0.12));
        }
    }

    fn draw_cheeks(&self, canvas: &mut Canvas) {
        for side in [-1.0, 1.0] {
            let x = side * 0.43 + self.look.yaw;
            if self.look.rosy {
                let blush = Shape::Ellipse([x, 0.3], [0.17, 0.13]);
                self.fill(canvas, &blush, Ink::plain([232.0, 84.0, 96.0]).thin(0.5).soft(0.12));
            }
            if self.person.high_cheekbones {
                let hollow = Shape::arc(
                    [side * 0.66 + self.look.yaw, 0.2],
                    [side * 0.52 + self.look.yaw, 0.42],
                    [side * 0.36 + self.look.yaw, 0.52],
                    0.04,
                );
                self.fill(canvas, &hollow, Ink::plain(self.shadow()).thin(0.6).soft(0.05));
                let bone = Shape::Ellipse([x, 0.17], [0.15, 0.06]);
                self.fill(
                    canvas,
                    &bone,
                    Ink::plain(mix(self.person.skin, [255.0; 3], 0.6)).thin(0.6).soft(0.08),
                );
            }
        }
    }

    fn draw_beard(&self, canvas: &mut Canvas) {
        let hair = times(self.person.hair.colour(), 0.85);
        let (width, yaw) = (self.person.width, self.look.yaw);
        let jaw = || {
            let opening = Shape::Ellipse([yaw * 0.6, 0.02], [width * 0.84, 0.78]);
            self.outline(1.01).without(opening).and(Shape::rectangle(-2.0, 0.12, 2.0, 2.0))
        };
        match self.person.beard {
            Beard::None => {}
            Beard::Stubble => {
                let ink = Ink::plain([70.0, 66.0, 66.0]).thin(0.42).soft(0.1);
                let opening = Shape::Ellipse([yaw * 0.6, 0.0], [width * 0.78, 0.56]);
                let lower = self.outline(0.97).without(opening).and(Shape::rectangle(-2.0, 0.2, 2.0, 2.0));
                self.fill(canvas, &lower, ink);
            }
            Beard::Goatee => {
                self.fill(canvas, &Shape::Ellipse([yaw, 0.87], [0.21, 0.2]), Ink::plain(hair).soft(0.03));
            }
            Beard::Mustache => self.draw_mustache(canvas, hair),
            Beard::Full => {
                self.fill(canvas, &jaw(), Ink::plain(hair).soft(0.03));
                self.fill(canvas, &Shape::Ellipse([yaw, 0.88], [0.3, 0.2]), Ink::plain(hair).soft(0.04));
                self.draw_mustache(canvas, hair);
            }
        }
        if self.person.sideburns {
            for side in [-1.0, 1.0] {
                let strip = Shape::Polygon(vec![
                    [side * width * 1.03, -0.3],
                    [side * width * 0.8, -0.3],
                    [side * width * 0.8, 0.3],
                    [side * width * 0.98, 0.36],
                ]);
                self.fill(canvas, &strip, Ink::plain(hair).soft(0.02));
            }
        }
    }

    fn draw_mustache(&self, canvas: &mut Canvas, hair: Colour) {
        let x = self.look.yaw;
        for side in [-1.0, 1.0] {
            let half = Shape::arc([x, 0.45], [x + side * 0.15, 0.445], [x + side * 0.3, 0.55], 0.055);
            self.fill(canvas, &half, Ink::plain(hair).soft(0.02));
        }
    }

    fn draw_nose(&self, canvas: &mut Canvas) {
        let x = self.look.yaw;
        let tip = x * 1.5;
        let ink = Ink::plain(self.shadow()).thin(0.75);
        let wide = if self.person.big_nose {
            0.2
        } else if self.person.pointy_nose {
            0.08
        } else {
            0.125
        };
        // The ridge throws its shadow to the side that the light does not come from.
        let side = if self.look.light > 0.0 { -1.0 } else { 1.0 };
        if self.person.pointy_nose {
            let ridge = vec![
                [x + side * 0.05, 0.0],
                [tip + side * 0.13, NOSE + 0.02],
                [tip - side * 0.03, NOSE + 0.07],
            ];
            self.fill(canvas, &Shape::Stroke(ridge, 0.026), ink);
        } else {
            let ridge = Shape::arc(
                [x + side * 0.07, 0.0],
                [tip + side * 0.08, 0.14],
                [tip + side * wide, NOSE],
                0.02,
            );
            self.fill(canvas, &ridge, ink.thin(0.5));
            let under = Shape::arc([tip - wide, NOSE], [tip, NOSE + 0.08], [tip + wide, NOSE], 0.024);
            self.fill(canvas, &under, ink);
        }
        if self.person.big_nose {
            let bulb = Shape::Ellipse([tip, NOSE - 0.03], [0.15, 0.1]);
            self.fill(
                canvas,
                &bulb,
                Ink::plain(mix(self.person.skin, [235.0, 120.0, 100.0], 0.35)).thin(0.75).soft(0.06),
            );
            for side in [-1.0, 1.0] {
                let wing = Shape::disc([tip + side * wide, NOSE], 0.055);
                self.fill(canvas, &wing, ink.thin(0.6).soft(0.03));
            }
        }
        for side in [-1.0, 1.0] {
            let nostril = Shape::Ellipse([tip + side * wide * 0.5, NOSE + 0.04], [0.03, 0.018]);
            self.fill(canvas, &nostril, Ink::plain(times(self.person.skin, 0.35)));
        }
    }

    fn draw_mouth(&self, canvas: &mut Canvas) {
        let x = self.look.yaw;
        let half = self.mouth_width();
        let painted = self.look.lipstick || self.look.makeup;
        let lips =
            if painted { [196.0, 24.0, 52.0] } else { mix(self.person.skin, [176.0, 72.0, 70.0], 0.55) };
        let thick = if self.person.big_lips { 0.085 } else { 0.045 };
        let sag = if self.look.smiling { 0.1 } else { -0.012 };
        let (left, right) = ([x - half, MOUTH - sag * 0.3], [x + half, MOUTH - sag * 0.3]);
        if self.look.open {
            let gape = if self.look.smiling { 0.1 } else { 0.085 };
            let upper: Vec<Coord> = curve(left, [x, MOUTH + sag * 0.2], right);
            let lower = curve(right, [x, MOUTH + sag + gape], left);
            let hole = || Shape::Polygon(upper.iter().chain(&lower).copied().collect());
            self.fill(canvas, &hole(), Ink::plain([70.0, 18.0, 20.0]));
            let teeth =
                hole().and(Shape::rectangle(x - half, 0.0, x + half, MOUTH + sag * 0.2 + gape * 0.55));
            self.fill(canvas, &teeth, Ink::plain([246.0, 244.0, 238.0]));
            self.fill(canvas, &Shape::Stroke(upper, thick * 0.75), Ink::plain(lips));
            self.fill(canvas, &Shape::Stroke(lower, thick), Ink::plain(lips));
        } else {
            let middle = [x, MOUTH + sag];
            self.fill(canvas, &Shape::arc(left, middle, right, thick), Ink::plain(lips));
            let low = Shape::arc(
                [x - half * 0.6, MOUTH + sag * 0.6],
                [x, MOUTH + sag + thick * 0.8],
                [x + half * 0.6, MOUTH + sag * 0.6],
                thick,
            );
            self.fill(canvas, &low, Ink::plain(lips));
            self.fill(canvas, &Shape::arc(left, middle, right, 0.016), Ink::plain(times(lips, 0.45)));
        }
        if self.look.smiling {
            for side in [-1.0, 1.0] {
                let dimple = Shape::arc(
                    [x + side * (half + 0.02), 0.38],
                    [x + side * (half + 0.1), 0.49],
                    [x + side * (half + 0.08), 0.6],
                    0.015,
                );
                self.fill(canvas, &dimple, Ink::plain(self.shadow()).thin(0.6));
            }
        }
    }

    fn draw_eye(&self, canvas: &mut Canvas, side: f32) {
        let x = side * self.person.eye_gap + self.look.yaw;
        let open = if self.person.narrow_eyes { 0.042 } else { 0.088 };
        if self.person.bags {
            let bag = Shape::arc([x - 0.14, EYES + 0.1], [x, EYES + 0.19], [x + 0.14, EYES + 0.1], 0.03);
            self.fill(
                canvas,
                &bag,
                Ink::plain(mix(self.shadow(), [88.0, 60.0, 96.0], 0.4)).thin(0.65).soft(0.03),
            );
        }
        if self.look.makeup {
            let shade = Shape::Ellipse([x, EYES - 0.09], [0.18, 0.1]);
            self.fill(canvas, &shade, Ink::plain([96.0, 52.0, 140.0]).thin(0.7).soft(0.06));
        }
        let white = || Shape::Ellipse([x, EYES], [0.145, open]);
        self.fill(canvas, &white(), Ink::plain([248.0, 246.0, 242.0]));
        let gaze = x + self.look.yaw * 0.3;
        self.fill(canvas, &Shape::disc([gaze, EYES], 0.078).and(white()), Ink::plain(self.person.eyes));
        self.fill(canvas, &Shape::disc([gaze, EYES], 0.036).and(white()), Ink::plain([12.0; 3]));
        self.fill(
            canvas,
            &Shape::disc([gaze - 0.03, EYES - 0.025], 0.016).and(white()),
            Ink::plain([255.0; 3]),
        );
        let lash = if self.look.makeup {
            0.036
        } else if self.person.male {
            0.015
        } else {
            0.023
        };
        let lid = Shape::arc([x - 0.15, EYES + 0.005], [x, EYES - open], [x + 0.15, EYES + 0.005], lash);
        self.fill(canvas, &lid, Ink::plain([38.0, 26.0, 24.0]));
        self.draw_brow(canvas, x, side);
    }

    fn draw_brow(&self, canvas: &mut Canvas, x: f32, side: f32) {
        let colour = mix(times(self.person.hair.colour(), 0.7), [40.0, 30.0, 26.0], 0.35);
        let thick = if self.person.bushy { 0.062 } else { 0.026 };
        let rise = if self.person.arched { 0.11 } else { 0.025 };
        let (inner, outer) = ([x - side * 0.16, EYES - 0.2], [x + side * 0.19, EYES - 0.19]);
        let top = [x + side * 0.05, EYES - 0.2 - rise];
        self.fill(canvas, &Shape::arc(inner, top, outer, thick), Ink::plain(colour).soft(0.01));
    }

    fn draw_age(&self, canvas: &mut Canvas) {
        if self.person.young {
            return;
        }
        let x = self.look.yaw;
        let ink = Ink::plain(self.shadow()).thin(0.65);
        for line in [0.0, 1.0] {
            let y = -0.42 - 0.11 * line;
            self.fill(canvas, &Shape::arc([x - 0.34, y], [x, y - 0.04], [x + 0.34, y], 0.014), ink);
        }
        for side in [-1.0, 1.0] {
            let fold =
                Shape::arc([x + side * 0.2, 0.28], [x + side * 0.33, 0.42], [x + side * 0.37, 0.62], 0.016);
            self.fill(canvas, &fold, ink);
            for foot in [-0.07, 0.0, 0.07] {
                let start = [x + side * (self.person.eye_gap + 0.19), EYES + foot * 0.5];
                let end = [x + side * (self.person.eye_gap + 0.27), EYES + foot * 1.4];
                self.fill(canvas, &Shape::Stroke(vec![start, end], 0.011), ink);
            }
        }
    }

    fn draw_jewellery(&self, canvas: &mut Canvas) {
        let gold = Ink::plain([250.0, 206.0, 60.0]);
        if self.look.earrings {
            for side in [-1.0, 1.0] {
                let x = side * (self.person.width + 0.05);
                let ring = Shape::disc([x, 0.4], 0.13).without(Shape::disc([x, 0.4], 0.065));
                self.fill(canvas, &ring, Ink::plain([120.0, 84.0, 10.0]));
                let ring = Shape::disc([x, 0.4], 0.115).without(Shape::disc([x, 0.4], 0.075));
                self.fill(canvas, &ring, gold);
            }
        }
        if self.look.necklace {
            let chain = |radius| Shape::arc([-0.5, 1.32], [0.0, 1.72], [0.5, 1.32], radius);
            self.fill(canvas, &chain(0.055), Ink::plain([110.0, 76.0, 10.0]));
            self.fill(canvas, &chain(0.035), gold);
            self.fill(canvas, &Shape::disc([0.0, 1.8], 0.1), gold);
        }
    }

    fn draw_glasses(&self, canvas: &mut Canvas) {
        let x = self.look.yaw;
        let gap = self.person.eye_gap;
        let frame = Ink::plain([22.0, 22.0, 28.0]);
        for side in [-1.0, 1.0] {
            let centre = [x + side * gap, EYES + 0.02];
            let lens = |grow: f32| Shape::Ellipse(centre, [0.235 + grow, 0.185 + grow]);
            if self.look.dark_glasses {
                self.fill(canvas, &lens(0.0), Ink::plain([18.0, 18.0, 24.0]).thin(0.93));
            } else {
                self.fill(canvas, &lens(0.0), Ink::plain([230.0, 240.0, 255.0]).thin(0.12));
            }
            self.fill(canvas, &lens(0.035).without(lens(-0.012)), frame);
            let temple = vec![[x + side * (gap + 0.24), EYES], [side * self.person.width, EYES - 0.03]];
            self.fill(canvas, &Shape::Stroke(temple, 0.025), frame);
        }
        let bridge = Shape::arc([x - gap + 0.23, EYES], [x, EYES - 0.05], [x + gap - 0.23, EYES], 0.025);
        self.fill(canvas, &bridge, frame);
    }
}

/// A smooth line through three places.
fn curve(from: Coord, through: Coord, to: Coord) -> Vec<Coord> {
    match Shape::arc(from, through, to, 0.0) {
        Shape::Stroke(points, _) => points,
        _ => Vec::new(),
    }
}
