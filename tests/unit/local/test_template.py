from infra.local import template
from infra.local.template import UNKNOWN, Deployed

TEXT = """
Parameters: {Years: {Type: Number}, Where: {Type: String}}
Conditions: {There: !Equals [!Ref Where, aws], Here: !Not [!Condition There]}
Resources:
  Key: {Type: "AWS::KMS::Key"}
  Log:
    Type: AWS::S3::Bucket
    Properties:
      Years: !Ref Years
      Key: !GetAtt Key.Arn
      Here: !If [Here, yes it is, !Ref AWS::NoValue]
      There: !If [There, x, !Ref AWS::NoValue]
      Imported: !ImportValue {"Fn::Sub": "${Where}-queue"}
      Far: !ImportValue other-stack
      Further: {"Fn::ImportValue": !Sub "${AWS::Region}-queue"}
  Gone: {Type: "AWS::S3::Bucket"}
"""


def deployed(tmp_path):
    file = tmp_path / "template.yaml"
    file.write_text(TEXT)
    physical = {"Key": "key-1", "Log": "log-1"}
    parameters, exports = {"Years": "2", "Where": "emulator"}, {"emulator-queue": "arn:queue"}
    return Deployed(template.load(file), parameters, physical, lambda _kind, name: f"arn:{name}", exports)


def test_properties_are_told_with_their_references_resolved(tmp_path):
    (properties,) = deployed(tmp_path).resources("AWS::S3::Bucket").values()

    assert properties == {
        "Years": 2, "Key": "arn:key-1", "Here": "yes it is", "Imported": "arn:queue", "Far": UNKNOWN, "Further": UNKNOWN,
    }  # fmt: skip


def test_what_is_not_deployed_is_left_out(tmp_path):
    assert list(deployed(tmp_path).resources("AWS::S3::Bucket")) == ["log-1"]
