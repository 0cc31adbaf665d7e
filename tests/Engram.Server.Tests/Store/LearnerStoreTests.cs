using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Tests.Store;

public sealed class LearnerStoreTests : IAsyncDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-store-").FullName;
    private SqliteLearnerStore _store;

    public LearnerStoreTests() => _store = Open();

    [Fact]
    public async Task Feedback_with_an_input_is_a_sample_at_once()
    {
        var receipt = await Append(Truth("cat", input: [1, 2]));

        Assert.Equal(new FeedbackReceipt(1, FeedbackState.Accepted), receipt);
        var sample = Assert.Single(_store.ReadSamples(0, _store.LastSequence, 10, heldOut: false));
        Assert.Equal((1, "cat"), (sample.Sequence, sample.Label));
        Assert.Equal([1, 2], sample.Input);
    }

    [Fact]
    public async Task Feedback_about_a_prediction_takes_its_input_and_judges_it()
    {
        _store.Remember([Prediction("p", "dog", [7])]);

        await Append(Truth("cat", prediction: "p", after: 90));

        Assert.Equal([7], Assert.Single(Samples()).Input);
        var judged = Assert.Single(_store.ReadJudged(0, 10));
        Assert.Equal((3, "dog", false, "cat", 90.0), (judged.Version, judged.Predicted, judged.Right, judged.Label, judged.DelaySeconds));
        Assert.Equal(new LivePerformance(3, 1, 0), Assert.Single(_store.Performance(5)));
    }

    [Fact]
    public async Task Early_feedback_waits_for_its_prediction_and_then_stands_behind_every_cursor()
    {
        var early = await Append(Truth("cat", prediction: "p"));
        await Append(Truth("dog", input: [2]));
        var cursor = _store.LastSequence;
        Assert.Equal(FeedbackState.Waiting, early.State);
        Assert.Equal(1, _store.Status(0).WithoutPrediction);
        Assert.Equal("dog", Assert.Single(Samples()).Label);

        _store.Remember([Prediction("p", "cat", [1])]);
        await Append(Truth("dog", input: [3]));

        Assert.Equal(["cat", "dog"], Samples(cursor).Select(sample => sample.Label).Order());
        Assert.Equal(0, _store.Status(0).WithoutPrediction);
    }

    [Fact]
    public async Task Early_feedback_is_matched_after_a_restart_too()
    {
        await Append(Truth("cat", prediction: "p"));
        await Reopen();

        _store.Remember([Prediction("p", "cat", [1])]);
        await Append(Truth("dog", input: [3]));

        Assert.Equal(2, Samples().Count);
    }

    [Fact]
    public async Task A_key_seen_before_is_acknowledged_and_stored_once()
    {
        var first = await Append(Truth("cat", input: [1], key: "k"));
        var second = await Append(Truth("cat", input: [1], key: "k"));

        Assert.Equal(first with { State = FeedbackState.Duplicate }, second);
        Assert.Single(Samples());
    }

    [Fact]
    public async Task The_same_label_again_for_a_prediction_changes_nothing()
    {
        _store.Remember([Prediction("p", "dog", [7])]);
        var first = await Append(Truth("cat", prediction: "p"));
        var again = await Append(Truth("cat", prediction: "p"));

        Assert.Equal(first with { State = FeedbackState.Duplicate }, again);
        Assert.Single(Samples());
    }

    [Fact]
    public async Task A_correction_takes_the_place_of_what_a_version_learnt()
    {
        _store.Remember([Prediction("p", "dog", [7])]);
        await Append(Truth("cat", prediction: "p"));
        var cursor = _store.LastSequence;
        await Append(Truth("cow", prediction: "p"));
        var now = _store.LastSequence;

        Assert.Equal("cat", Assert.Single(_store.ReadRevoked(cursor, cursor, now)).Label);
        Assert.Equal("cow", Assert.Single(_store.ReadSamples(cursor, now, 10, heldOut: false)).Label);
        Assert.Equal("cow", Assert.Single(Samples()).Label);
        Assert.Empty(_store.ReadRevoked(now, now, now));
    }

    [Fact]
    public async Task A_reading_up_to_a_cursor_is_the_same_before_and_after_later_corrections()
    {
        _store.Remember([Prediction("p", "dog", [7])]);
        await Append(Truth("cat", prediction: "p"));
        var cursor = _store.LastSequence;
        await Append(Truth("cow", prediction: "p"));

        Assert.Equal("cat", Assert.Single(_store.ReadSamples(0, cursor, 10, heldOut: false)).Label);
    }

    [Fact]
    public async Task A_correction_stays_held_out_when_what_it_corrects_was()
    {
        for (var i = 0; i < 40; i++)
        {
            _store.Remember([Prediction($"p{i}", "dog", [7])]);
            await Append(Truth("cat", prediction: $"p{i}", holdOut: 0.5));
        }
        var held = _store.ReadSamples(0, _store.LastSequence, 100, heldOut: true).Count;
        Assert.InRange(held, 8, 32);

        for (var i = 0; i < 40; i++) await Append(Truth("cow", prediction: $"p{i}", holdOut: 0.5));

        Assert.Equal(held, _store.ReadSamples(0, _store.LastSequence, 100, heldOut: true).Count(sample => sample.Label == "cow"));
        Assert.Equal(40, Samples().Count + held);
    }

    [Fact]
    public async Task The_newest_held_out_samples_of_each_label_are_read_as_they_were_at_a_sequence()
    {
        _store.Remember([Prediction("p", "dog", [9])]);
        foreach (var label in (string[])["cat", "cat", "cat", "cat", "dog", "cat"]) await Append(Truth(label, input: [1], holdOut: 1));
        await Append(Truth("cow", input: [1]));
        await Append(Truth("cat", prediction: "p", holdOut: 1));
        var before = _store.LastSequence;
        await Append(Truth("cow", prediction: "p", holdOut: 1));

        Assert.Equal([(4, "cat"), (5, "dog"), (6, "cat"), (9, "cow")], Newest(_store.LastSequence));
        Assert.Equal([(5, "dog"), (6, "cat"), (8, "cat")], Newest(before));
        Assert.Equal([(2, "cat"), (3, "cat")], Newest(3));

        IEnumerable<(long, string)> Newest(long upTo) => _store.ReadHeldOut(upTo, 2).Select(sample => (sample.Sequence, sample.Label));
    }

    [Theory]
    [InlineData(1.0, true)]
    [InlineData(0.5, true)]
    [InlineData(0.49, false)]
    public async Task A_reward_confirms_or_only_judges(double reward, bool confirms)
    {
        _store.Remember([Prediction("p", "dog", [7])]);

        await Append(new FeedbackEntry { At = s_start, PredictionId = "p", Reward = reward });

        Assert.Equal(confirms ? ["dog"] : [], Samples().Select(sample => sample.Label));
        Assert.Equal(confirms, Assert.Single(_store.ReadJudged(0, 10)).Right);
    }

    [Fact]
    public async Task A_later_reward_replaces_an_earlier_one_and_a_bad_one_takes_nothing_from_a_label()
    {
        _store.Remember([Prediction("p", "dog", [7]), Prediction("q", "dog", [8])]);
        await Append(new FeedbackEntry { At = s_start, PredictionId = "p", Reward = 1 });
        await Append(Truth("cat", prediction: "q"));
        var cursor = _store.LastSequence;

        Assert.Equal(FeedbackState.Accepted, (await Append(new FeedbackEntry { At = s_start, PredictionId = "p", Reward = 0 })).State);
        Assert.Equal(FeedbackState.Duplicate, (await Append(new FeedbackEntry { At = s_start, PredictionId = "q", Reward = 0 })).State);

        Assert.Equal("cat", Assert.Single(Samples()).Label);
        Assert.Equal("dog", Assert.Single(_store.ReadRevoked(cursor, cursor, _store.LastSequence)).Label);
        Assert.Equal(FeedbackState.Accepted, (await Append(new FeedbackEntry { At = s_start, PredictionId = "p", Reward = 1 })).State);
        Assert.Equal(["cat", "dog"], Samples().Select(sample => sample.Label));
    }

    [Theory]
    [InlineData(10.0, 5.0, "cat")]
    [InlineData(5.0, 10.0, "cow")]
    [InlineData(10.0, null, "cow")] // nobody says when: in the order of coming
    [InlineData(null, 5.0, "cow")]
    public async Task Of_two_labels_for_a_prediction_the_one_observed_last_stands(double? first, double? second, string stands)
    {
        _store.Remember([Prediction("p", "dog", [7])]);
        await Append(Truth("cat", prediction: "p", after: 20) with { ObservedAt = first is { } then ? s_start.AddSeconds(then) : null });

        var receipt = await Append(Truth("cow", prediction: "p", after: 30, key: "b") with { ObservedAt = second is { } at ? s_start.AddSeconds(at) : null });

        Assert.Equal(stands, Assert.Single(Samples()).Label);
        Assert.Equal(stands == "cat" ? FeedbackState.Duplicate : FeedbackState.Accepted, receipt.State);
        Assert.Equal(FeedbackState.Duplicate, (await Append(Truth("cow", prediction: "p", key: "b"))).State);
        Assert.Equal(stands, Assert.Single(Samples()).Label);
    }

    [Fact]
    public async Task A_label_seen_again_later_is_not_replaced_by_one_observed_between()
    {
        _store.Remember([Prediction("p", "dog", [7])]);
        await Append(Truth("cat", prediction: "p") with { ObservedAt = s_start.AddSeconds(1) });
        await Append(Truth("cat", prediction: "p") with { ObservedAt = s_start.AddSeconds(3) });
        await Append(Truth("cow", prediction: "p") with { ObservedAt = s_start.AddSeconds(2) });

        Assert.Equal("cat", Assert.Single(Samples()).Label);
    }

    [Fact]
    public async Task Of_two_predictions_with_one_id_the_first_stands()
    {
        _store.Remember([Prediction("p", "dog", [7])]);
        await Append(Truth("cat", input: [1])); // which writes it, too
        _store.Remember([Prediction("p", "cow", [8])]);

        Assert.Equal("dog", _store.FindPrediction("p")!.Label);
        await Append(Truth("cat", prediction: "p"));
        Assert.Equal("dog", _store.FindPrediction("p")!.Label);
        Assert.Equal([7], Samples()[1].Input);
    }

    [Fact]
    public async Task Numbers_are_never_given_twice_even_when_rows_are_gone()
    {
        await Append(Truth("cat", input: [1], subject: "s"));
        await _store.DeleteSubjectAsync("s", cursor: 0);
        var last = _store.LastSequence;
        await Reopen();

        Assert.Equal(last, _store.LastSequence);
        Assert.Equal(last + 1, (await Append(Truth("cat", input: [2]))).Sequence);
    }

    [Fact]
    public async Task Deleting_a_subject_leaves_nothing_of_what_was_not_learnt_and_tells_what_to_unlearn()
    {
        _store.Remember([Prediction("p", "dog", [7], subject: "ann")]);
        await Append(Truth("cat", prediction: "p"));
        var cursor = _store.LastSequence;
        await Append(Truth("cow", input: [8], subject: "ann"));
        Assert.Equal((1, 2), (_store.ReadSubject("ann").Predictions.Count, _store.ReadSubject("ann").Feedback.Count));

        Assert.Equal(new SubjectErased(1, 2, 0, true), await _store.DeleteSubjectAsync("ann", cursor));

        Assert.Empty(_store.ReadSubject("ann").Predictions);
        Assert.Empty(_store.ReadSubject("ann").Feedback);
        Assert.Null(_store.FindPrediction("p"));
        Assert.Empty(Samples());
        var now = _store.LastSequence;
        Assert.Equal("cat", Assert.Single(_store.ReadRevoked(cursor, cursor, now)).Label);
        await _store.ForgetRevokedAsync([new VersionPlace(cursor, cursor)]); // which a version holds
        Assert.Equal((1, 0), _store.CountDeleted(new VersionPlace(cursor, cursor)));
        Assert.Single(_store.ReadRevoked(cursor, cursor, now));
        await _store.ForgetRevokedAsync([new VersionPlace(0, 0), new VersionPlace(cursor, now)]); // which none holds
        Assert.Equal((1, 1), _store.CountDeleted(new VersionPlace(cursor, cursor)));
        Assert.Empty(_store.ReadRevoked(cursor, cursor, now));
    }

    [Fact]
    public async Task A_sample_that_is_too_old_can_still_be_deleted_from_the_version_that_learnt_it()
    {
        await Append(Truth("cat", input: [1], subject: "ann"));
        var cursor = _store.LastSequence;
        await Append(Truth("cow", input: [2], subject: "ann"));
        await _store.ExpireAsync(new RetentionPolicy { FeedbackDays = 1 }, cursor);
        Assert.Empty(Samples()); // by age alone: the second was never learnt

        var kept = Assert.Single(_store.ReadSubject("ann").Feedback);
        Assert.Equal((1L, (string?)null, 1L), (kept.Sequence, kept.Label, kept.Place));
        Assert.Equal(new SubjectErased(0, 1, 0, true), await _store.DeleteSubjectAsync("ann", cursor));
        Assert.Equal((1, 1), _store.CountDeleted(new VersionPlace(cursor, cursor)));
        Assert.Equal((0, 0), _store.CountDeleted(new VersionPlace(cursor, _store.LastSequence)));
    }

    [Fact]
    public async Task What_waits_longer_than_the_policy_keeps_it_is_dropped()
    {
        _store.Remember([Prediction("old", "dog", [7]), Prediction("new", "dog", [7], TimeSpan.FromDays(400_000))]);
        await Append(Truth("cat", input: [1]));

        await _store.ExpireAsync(new RetentionPolicy { PredictionHours = 1, FeedbackDays = 1 }, _store.LastSequence);

        Assert.Null(_store.FindPrediction("old"));
        Assert.NotNull(_store.FindPrediction("new"));
        Assert.Empty(Samples());
    }

    [Fact]
    public async Task A_store_that_cannot_keep_up_says_so()
    {
        await _store.DisposeAsync();
        _store = new SqliteLearnerStore(Path.Combine(_folder, "log.db"), mostWaiting: 2, TimeProvider.System);

        await Assert.ThrowsAsync<StoreBusyException>(
            () => _store.AppendAsync([Truth("a", input: [1]), Truth("b", input: [1]), Truth("c", input: [1])], default));

        await Append(Truth("d", input: [1]));
        Assert.Equal("d", Assert.Single(Samples()).Label);
    }

    [Fact]
    public async Task Versions_and_aliases_change_in_one_transaction()
    {
        await _store.WriteVersionAsync(Version(1));
        await _store.WriteVersionAsync(Version(2));
        await _store.WriteAliasAsync("champion", 1, [Version(1) with { State = VersionState.Published }]);
        await _store.WriteAliasAsync(
            "champion", 2, [Version(1) with { State = VersionState.Retired }, Version(2) with { State = VersionState.Published }]);
        await Reopen();

        Assert.Equal([VersionState.Retired, VersionState.Published], _store.ReadVersions().Select(version => version.State));
        Assert.Equal(["champion"], _store.ReadVersions()[1].Aliases);
        Assert.Equal(["a", "b"], _store.ReadVersions()[1].Labels);
        await _store.DeleteVersionAsync(2);
        Assert.Equal(1, Assert.Single(_store.ReadVersions()).Version);
    }

    [Fact]
    public async Task A_thousand_feedbacks_at_once_are_all_kept_in_one_order()
    {
        var receipts = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => Append(Truth($"{i % 7}", input: [(byte)i], key: $"k{i}"))));

        Assert.Equal(Enumerable.Range(1, 1000).Select(i => (long)i), receipts.Select(receipt => receipt.Sequence).Order());
        Assert.Equal(1000, Samples().Count);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static FeedbackEntry Truth(
        string label, string? prediction = null, byte[]? input = null, string? key = null, string? subject = null, double after = 0,
        double holdOut = 0) => new()
        {
            At = s_start.AddSeconds(after),
            PredictionId = prediction,
            Input = input,
            Label = label,
            IdempotencyKey = key,
            Subject = subject,
            HoldOut = holdOut,
        };

    private static PredictionRecord Prediction(
        string id, string label, byte[] input, TimeSpan after = default, string? subject = null) =>
        new(id, s_start + after, 3, label, 0.9, false, input, subject);

    private static VersionInfo Version(int number) =>
        new() { Version = number, State = VersionState.Staged, Created = s_start, Labels = ["a", "b"] };

    private async Task<FeedbackReceipt> Append(FeedbackEntry entry) => (await _store.AppendAsync([entry], default))[0];

    private IReadOnlyList<LabelledSample> Samples(long after = 0) =>
        _store.ReadSamples(after, _store.LastSequence, int.MaxValue, heldOut: false);

    private SqliteLearnerStore Open() => new(Path.Combine(_folder, "log.db"), 10_000, TimeProvider.System);

    private async Task Reopen()
    {
        await _store.DisposeAsync();
        _store = Open();
    }
}
