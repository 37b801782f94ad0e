//! Who handles what came to the agency's account, by the interface.

use crate::world::each_world;
use serde_json::json;

#[tokio::test]
async fn a_letter_is_given_handled_and_noted() {
    each_world(|world| async move {
        let path = world.receive("cong-van-7").await;
        let (account, thread) = path.split_once("/conversations/").unwrap();
        let (mai, an, lan) =
            (world.signed_in("mai").await, world.signed_in("an").await, world.signed_in("lan").await);
        let people = an.get(&format!("{account}/assignees")).await.json();
        let names: Vec<_> = people["people"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
        assert_eq!(names, ["Hồ Văn Mới", "Lê Thị Mai", "Nguyễn Văn An"]);
        let id = people["people"][2]["person"].as_str().unwrap();
        let given = json!({
            "person": id, "instruction": "Tham mưu trả lời", "dueAt": "2026-11-20T17:00:00+07:00", "version": 0
        });
        let assignment = format!("{path}/assignment");
        let refused = an.post(&assignment, &json!({ "unit": "khong-co", "version": 0 })).await;
        assert_eq!(refused.problem(), (422, "invalidValue".to_owned()));
        let told = mai.post(&assignment, &given).await.json();
        assert_eq!((&told["assignee"]["name"], &told["isOverdue"]), (&json!("Nguyễn Văn An"), &json!(true)));
        assert_eq!((&told["progress"], &told["version"], &told["thread"]), (&json!("assigned"), &json!(1), &json!(thread)));
        assert_eq!(mai.post(&assignment, &given).await.problem(), (409, "changed".to_owned()));
        assert_eq!(an.get("/api/v1/me").await.json()["openWork"], 1);
        assert_eq!(an.get("/api/v1/work").await.json()["work"][0]["subject"], "cong-van-7");
        assert_eq!(mai.get("/api/v1/work?filter=overdue").await.json()["work"].as_array().unwrap().len(), 1);
        let done = an.post(&format!("{path}/progress"), &json!({ "progress": "done", "version": 1 })).await;
        assert_eq!(done.json()["progress"], "done");
        let noted = mai.post(&format!("{path}/notes"), &json!({ "text": "Đã báo cáo Giám đốc" })).await;
        assert_eq!((noted.status, noted.json()["author"].clone()), (201, json!("Lê Thị Mai")));
        let looked = an.post(&format!("{account}/conversations/look-up"), &json!({ "threads": [thread] })).await.json();
        assert_eq!((&looked["conversations"][0]["notes"], &looked["conversations"][0]["assignment"]["version"]), (&json!(1), &json!(2)));
        let open = an.get(&path).await.json();
        assert_eq!((open["steps"].as_array().unwrap().len(), &open["noteList"][0]["text"]), (2, &json!("Đã báo cáo Giám đốc")));
        // Whoever does not read the account does not learn that there is one.
        for path in [path.clone(), format!("{account}/assignees")] {
            assert_eq!(lan.get(&path).await.problem(), (404, "notFound".to_owned()));
        }
        assert_eq!(lan.post(&format!("{path}/presence"), &json!({ "activity": "reading" })).await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn whoever_opens_what_another_answers_is_told() {
    each_world(|world| async move {
        let path = format!("{}/presence", world.receive("cong-van-8").await);
        let (mai, an) = (world.signed_in("mai").await, world.signed_in("an").await);
        assert_eq!(an.post(&path, &json!({ "activity": "replying" })).await.json(), json!({ "present": [] }));
        let told = mai.post(&path, &json!({ "activity": "reading" })).await.json();
        assert_eq!(told, json!({ "present": [{ "name": "Nguyễn Văn An", "isReplying": true }] }));
        assert_eq!(mai.post(&path, &json!({ "activity": "sleeping" })).await.status, 400);
        assert_eq!(mai.post(&path, &json!([])).await.status, 422);
        let nowhere = path.replace("conversations/t", "conversations/x");
        assert_eq!(mai.post(&nowhere, &json!({ "activity": "reading" })).await.status, 400);
    })
    .await;
}
