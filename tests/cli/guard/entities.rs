//! Guards of entities, with placeholders.

use expect_test::expect;
use referee::guard::Operation;

use crate::guard::{RULES, check, of_entity};

#[test]
fn placeholders_stand_for_captures_and_declared_attributes() {
    check(
        of_entity(RULES, "clerk", Operation::Put),
        expect![[r#"
            Put at={"desk":{"N":"{at.desk}"},"site":{"S":"{at.site}"}} boss={boss} deputy={deputy} kind=clerk pk=staff#{staff} sk=staff# teams=["{teams[*]}"]
            ConditionCheck pk=staff#{boss} sk=staff#
                attribute_exists(pk) AND kind = {"S":"admin"}
            ConditionCheck pk=staff#{deputy} sk=staff#
                attribute_exists(pk) AND kind = {"S":"admin"}
            ConditionCheck pk=site#{at.site} sk=desk#{at.desk}
                attribute_exists(pk)
            ConditionCheck pk=team#{teams[*]} sk=team#
                attribute_exists(pk)
            note: replace `{staff}`, `{at.desk}`, `{at.site}`, `{boss}`, `{deputy}` and `{teams[*]}` with values
            note: `clerk_deputy`: omit the check for an item without `deputy`
            note: `clerk_desk`: omit the check for an item without `at.site` and `at.desk`
            note: `clerk_teams`: repeat the check for each element of `teams`
            note: `clerk_teams`: omit the check for an item without `teams`
        "#]],
    );
    check(
        of_entity(RULES, "clerk", Operation::Update),
        expect![[r#"
            Update pk=staff#{staff} sk=staff#
                SET at = {"M":{"desk":{"N":"{at.desk}"},"site":{"S":"{at.site}"}}}, boss = {"S":"{boss}"}, deputy = {"S":"{deputy}"}, kind = {"S":"clerk"}, teams = {"SS":["{teams[*]}"]}
                attribute_exists(pk) AND kind = {"S":"clerk"}
            ConditionCheck pk=staff#{boss} sk=staff#
                attribute_exists(pk) AND kind = {"S":"admin"}
            ConditionCheck pk=staff#{deputy} sk=staff#
                attribute_exists(pk) AND kind = {"S":"admin"}
            ConditionCheck pk=site#{at.site} sk=desk#{at.desk}
                attribute_exists(pk)
            ConditionCheck pk=team#{teams[*]} sk=team#
                attribute_exists(pk)
            note: replace `{staff}`, `{at.desk}`, `{at.site}`, `{boss}`, `{deputy}` and `{teams[*]}` with values
            note: `clerk_deputy`: omit the check for an item without `deputy`
            note: `clerk_desk`: omit the check for an item without `at.site` and `at.desk`
            note: `clerk_teams`: repeat the check for each element of `teams`
            note: `clerk_teams`: omit the check for an item without `teams`
        "#]],
    );
    check(
        of_entity(RULES, "member", Operation::Put),
        expect![[r#"
            Put note={note} pk=company#{company} role={role} sk=user#{email}
            Put _referee={"fence":{"S":"0000000000000000000000000000000000000000"},"rule":{"S":"membership"}} pk=user#{email} role={role} sk=company#{company}
                attribute_not_exists(pk) OR _referee.rule = {"S":"membership"}
            ConditionCheck pk=company#{company} sk=company#
                attribute_exists(pk)
            ConditionCheck pk=user#{email} sk=user#
                attribute_exists(pk)
            note: replace `{company}`, `{email}`, `{note}` and `{role}` with values
        "#]],
    );
}

#[test]
fn keys_of_every_type_have_placeholders() {
    let rules = "version: 1
tables: { parts: { key: [\"digest:B\", \"part:N\"] }, lists: { key: [id] } }
entities:
  part: { table: parts, key: { digest: \"{digest}\", part: \"{part*}\" } }
  list:
    table: lists
    key: { id: \"list {{x}} {list*}\" }
    attributes: { digest: B, part: N, flags.new: BOOL, seen: L, more: M, sums: BS, nos: NS }
references:
  list_part: { from: list, to: part, on: { digest: \"{digest}\", part: \"{part}\" }, find: none }
";
    check(
        of_entity(rules, "list", Operation::Put),
        expect![[r#"
            Put digest={digest} flags={"new":{"BOOL":true}} id=list {x} {list} more={} nos=["{nos[*]}"] part={part} seen=[{"S":"{seen[*]}"}] sums=["{sums[*]}"]
            ConditionCheck digest={digest} part={part}
                attribute_exists(digest)
            note: replace `{list}`, `{digest}`, `{nos[*]}`, `{part}`, `{seen[*]}` and `{sums[*]}` with values
            note: `list_part`: omit the check for an item without `digest` and `part`
        "#]],
    );
}

#[test]
fn an_entity_of_one_item_has_no_placeholders() {
    let rules = "version: 1
tables: { app: { key: [id] } }
entities:
  settings: { table: app, key: { id: settings } }
";
    check(
        of_entity(rules, "settings", Operation::Put),
        expect![[r#"
            Put id=settings
            note: every item of `settings` has this key
        "#]],
    );
    check(
        of_entity(rules, "settings", Operation::Update),
        expect![[r#"
        the update sets no attribute of the `settings`
    "#]],
    );
    check(
        of_entity(RULES, "member_of", Operation::Put),
        expect![[r#"
            items of `member_of` are mirrors written by `membership`; guard their source `member` instead
        "#]],
    );
}
