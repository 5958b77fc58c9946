//! The secret of the session tokens: given, or made once for all replicas.

use super::{Application, INSTANCE_ID, Replica, get, token};

#[test]
fn a_secret_is_made_once_however_many_ask_for_the_first() {
    let application = Application::new(&[]);
    let replicas: Vec<Replica> = (0..8).map(|_| application.replica()).collect();
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = replicas.iter().map(|replica| scope.spawn(|| token(replica, &[]))).collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    for replica in &replicas {
        for token in &tokens {
            assert_eq!(get(replica, INSTANCE_ID, &[("x-aws-ec2-metadata-token", token)]).0, 200);
        }
    }
    assert_eq!(application.store().get("token-secret").map(|secret| secret.len()), Some(32));
}

#[test]
fn a_secret_is_made_though_the_one_elected_to_make_it_vanished() {
    let mut application = Application::new(&[]);
    application.store().set("token-secret/makers/0", "1");
    // Whoever waits for the secret looks at the clock.
    application.0.tick_ms = 50;
    token(&application.replica(), &[]);
    assert!(application.store().get("token-secret").is_some());
}

#[test]
fn a_secret_that_was_removed_is_made_again_for_all() {
    let application = Application::new(&[]);
    let replicas = [application.replica(), application.replica()];
    let old = token(&replicas[0], &[]);
    application.store().remove("token-secret");
    application.wait(1000);
    let new = token(&replicas[1], &[]);
    for replica in &replicas {
        assert_eq!(get(replica, INSTANCE_ID, &[("x-aws-ec2-metadata-token", &new)]).0, 200);
        assert_eq!(get(replica, INSTANCE_ID, &[("x-aws-ec2-metadata-token", &old)]).0, 401);
    }
}

#[test]
fn a_secret_in_a_variable_needs_no_store() {
    let application = Application::new(&[("token_secret", "0123456789abcdef")]).without_store();
    let [one, other] = [application.replica(), application.replica()];
    assert_eq!(get(&other, INSTANCE_ID, &[("x-aws-ec2-metadata-token", &token(&one, &[]))]).0, 200);
}
