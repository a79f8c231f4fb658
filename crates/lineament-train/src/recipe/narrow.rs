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
        fewer.map(|many| many / whole).ok_or_else(|| wrong(filters))
    };
    each(&mut spec.layers, &mut |layer| match layer {
        Layer::Conv { name, filters, groups, .. } => {
            let one_each = *groups == *filters;
            if *groups > 1 && !one_each {
                let why = format!(
                    "`anet.narrow`: convolution {name} has {groups} groups of several filters, whose channels do not \
                     keep their group in a wider net: give it one group, or one filter a group"
                );
                return Err(TrainError::Recipe(why));
            }
            *filters = fewer(*filters)?;
            *groups = if *groups > 1 { *filters } else { 1 };
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
