//! Spin's own interfaces for variables and the key-value store.
//!
//! They read as Spin does: by a call that takes the executor's place from the thread.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;

use tokio::task::block_in_place;
use wasmtime::component::{Accessor, ComponentType, Lift, Linker, Lower, Resource, ResourceType};

use super::engine::Ctx;
use super::store::{Health, REFUSED, Values};

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum VariableError {
    #[component(name = "invalid-name")]
    InvalidName(String),
    #[component(name = "undefined")]
    Undefined(String),
    #[component(name = "provider")]
    Provider(String),
    #[component(name = "other")]
    Other(String),
}

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StoreError {
    #[component(name = "store-table-full")]
    TableFull,
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

struct Store(Arc<Values>);

type Host<'a> = &'a Accessor<Ctx>;
type Calling<'a, T, E> = Pin<Box<dyn Future<Output = wasmtime::Result<(Result<T, E>,)>> + Send + 'a>>;

/// `spin:variables` and the parts of `spin:key-value` that the adapter uses.
pub fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    let mut variables = linker.instance("spin:variables/variables@3.0.0")?;
    variables.func_wrap_concurrent(
        "get",
        |host: Host<'_>, (name,): (String,)| -> Calling<'_, String, VariableError> {
            Box::pin(async move {
                let (fails, value) = host.with(|mut access| {
                    let options = &access.data_mut().options;
                    let value = options.variables.iter().find(|(other, _)| *other == name);
                    (options.variables_fail.is_set(), value.map(|(_, value)| value.clone()))
                });
                Ok((match block_in_place(|| value) {
                    _ if fails => Err(VariableError::Provider("the vault at 10.9.8.7 is sealed".to_owned())),
                    Some(value) => Ok(value),
                    None => Err(VariableError::Undefined(name)),
                },))
            })
        },
    )?;

    let mut store = linker.instance("spin:key-value/key-value@3.0.0")?;
    store.resource("store", ResourceType::host::<Store>(), |mut caller, rep| {
        caller.data_mut().table.delete(Resource::<Store>::new_own(rep))?;
        Ok(())
    })?;
    store.func_wrap_concurrent(
        "[static]store.open",
        |host: Host<'_>, (label,): (String,)| -> Calling<'_, Resource<Store>, StoreError> {
            Box::pin(async move {
                let values = host.with(|mut access| access.data_mut().options.values.clone());
                let Some(values) = values.filter(|_| label == "default") else {
                    return Ok((Err(StoreError::AccessDenied),));
                };
                if let Err(error) = at_work(&values).await {
                    return Ok((Err(error),));
                }
                values.count_open();
                let store = host.with(|mut access| access.data_mut().table.push(Store(values)))?;
                Ok((Ok(store),))
            })
        },
    )?;
    store.func_wrap_concurrent(
        "[method]store.get",
        |host: Host<'_>, (store, key): (Resource<Store>, String)| -> Calling<'_, Option<Vec<u8>>, StoreError> {
            Box::pin(async move {
                let values = values(host, &store)?;
                Ok((at_work(&values).await.map(|()| block_in_place(|| values.get(&key))),))
            })
        },
    )?;
    store.func_wrap_concurrent(
        "[method]store.set",
        |host: Host<'_>, (store, key, value): (Resource<Store>, String, Vec<u8>)| -> Calling<'_, (), StoreError> {
            Box::pin(async move {
                let values = values(host, &store)?;
                Ok((at_work(&values).await.map(|()| block_in_place(|| values.set(&key, value))),))
            })
        },
    )?;
    store.func_wrap_concurrent(
        "[method]store.delete",
        |host: Host<'_>, (store, key): (Resource<Store>, String)| -> Calling<'_, (), StoreError> {
            Box::pin(async move {
                let values = values(host, &store)?;
                let removed = at_work(&values).await.map(|()| block_in_place(|| values.remove(&key)));
                let told = removed.and_then(|()| match values.doubts(&key) {
                    true => Err(StoreError::Other(REFUSED.to_owned())),
                    false => Ok(()),
                });
                Ok((told,))
            })
        },
    )
}

fn values(host: Host<'_>, store: &Resource<Store>) -> wasmtime::Result<Arc<Values>> {
    host.with(|mut access| Ok(Arc::clone(&access.data_mut().table.get(store)?.0)))
}

async fn at_work(values: &Values) -> Result<(), StoreError> {
    values.count_call();
    match values.health() {
        Health::Works => Ok(()),
        Health::Fails => Err(StoreError::Other(REFUSED.to_owned())),
        Health::Hangs => pending().await,
    }
}
