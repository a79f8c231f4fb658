//! A narrower net of the same layers.

use lineament_net::{Layer, NetSpec};

use crate::error::TrainError;

/// `net` with `part` of `whole` of the filters of every convolution. Fully connected layers keep their outputs.
///
/// # Errors
/// When a number of filters can't be divided so.
pub fn narrow(net: &NetSpec, [part, whole]: [usize; 2]) -> Result<NetSpec, TrainError> {
    let mut spec = net.clone();
    spec.name = format!("{}-narrow", net.name);
    let wrong = |filters: usize| {
        let why = format!(
            "`anet.narrow.width` asks for {part}/{whole} of {filters} filters; it must leave a whole number, fewer than before"
        );
        TrainError::Recipe(why)
    };
    if part == 0 || part >= whole {
        return Err(wrong(whole));
    }
    let fewer = |filters: usize| {
        let fewer = filters.checked_mul(part).filter(|many| many.is_multiple_of(whole));
        Ok(fewer.ok_or_else(|| wrong(filters))? / whole)
    };
    each(&mut spec.layers, &mut |layer| match layer {
        Layer::Conv { filters, groups, .. } => {
            let depthwise = *groups > 1 && *groups == *filters;
            *filters = fewer(*filters)?;
            // One filter a channel, of which there are fewer.
            *groups = if depthwise { *filters } else { *groups };
            Ok(())
        }
        Layer::LocalConv { filters, .. } => {
            *filters = fewer(*filters)?;
            Ok(())
        }
        _ => Ok(()),
    })?;
    spec.check()?;
    Ok(spec)
}

fn each(
    layers: &mut [Layer],
    change: &mut impl FnMut(&mut Layer) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    for layer in layers {
        change(layer)?;
        if let Layer::Residual { body, shortcut, .. } = layer {
            each(body, change)?;
            each(shortcut, change)?;
        }
    }
    Ok(())
}
