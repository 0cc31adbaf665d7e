using Engram.Client;

namespace Engram.Server.Tests.Dashboard;

/// <summary>One learner of each kind of input, in different states.</summary>
internal static class FakeLearners
{
    private static readonly string[] s_digits = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

    public static void AddTo(FakeService service, DateTimeOffset now)
    {
        service.Learners["digits"] = new(Specify("digits", "Handwritten digits of the returns desk", new() { Kind = InputKind.Image, Height = 28, Width = 28 }), s_digits, 9, now)
        {
            Drifts = true,
        };
        var tickets = new FakeLearner(
            Specify("tickets", "Routes support tickets to a team", new() { Kind = InputKind.Text }, GateMode.Staged),
            ["billing", "delivery", "returns", "a_label_that_is_really_rather_long_and_has_no_spaces", "账户"], 4, now)
        {
            Activity = LearnerActivity.Learning,
            Progress = 0.42,
        };
        tickets.Change(3, "setup", null, version => version with { State = VersionState.Staged, Reason = "passed the gate, waits for a person" });
        service.Learners["tickets"] = tickets;
        service.Learners["loans"] = new(Specify("loans", "", new()
        {
            Kind = InputKind.Tabular,
            Columns = [new() { Name = "age" }, new() { Name = "income" }, new() { Name = "purpose", Kind = ColumnKind.Categorical, Values = ["car", "house"] }],
        }), ["repaid", "default"], 3, now)
        {
            Activity = LearnerActivity.Paused,
        };
        service.Learners["sensors"] = new(Specify("sensors", "Vibration of pump 7", new() { Kind = InputKind.Vector, Size = 4 }), ["normal", "worn"], 0, now)
        {
            LastError = "the disk is full",
        };
    }

    private static LearnerSpecification Specify(string name, string description, InputSchema input, GateMode mode = GateMode.Automatic) =>
        new() { Name = name, Description = description, Input = input, Gate = new() { Mode = mode } };
}
