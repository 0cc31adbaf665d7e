using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Tests.Store;

/// <summary>What every engine behind <see cref="ILearnerStore"/> has to do.</summary>
public abstract class LearnerStoreTests : IAsyncDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private ILearnerStore? _opened;

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("engram-store-").FullName;

    private protected ILearnerStore Store => _opened ??= Open();

    /// <summary>Opens the store over what <see cref="Folder"/> names.</summary>
    private protected abstract ILearnerStore Open(int mostWaiting = 10_000, int mostPredictions = 10_000);

    [Fact]
    public async Task Feedback_with_an_input_is_a_sample_at_once()
    {
        var receipt = await Append(Truth("cat", input: [1, 2]));

        Assert.Equal(new FeedbackReceipt(1, FeedbackState.Accepted), receipt);
        var sample = Assert.Single(Store.ReadSamples(0, Store.LastSequence, 10, heldOut: false));
        Assert.Equal((1, "cat"), (sample.Sequence, sample.Label));
        Assert.Equal([1, 2], sample.Input);
    }

    [Fact]
    public async Task Feedback_about_a_prediction_takes_its_input_and_judges_it()
    {
        Store.Remember([Prediction("p", "dog", [7])]);

        await Append(Truth("cat", prediction: "p", after: 90));

        Assert.Equal([7], Assert.Single(Samples()).Input);
        var judged = Assert.Single(Store.ReadJudged(0, 10));
        Assert.Equal((3, "dog", false, "cat", 90.0), (judged.Version, judged.Predicted, judged.Right, judged.Label, judged.DelaySeconds));
        Assert.Equal(new LivePerformance(3, 1, 0), Assert.Single(Store.Performance(5)));
    }

    [Fact]
    public async Task Early_feedback_waits_for_its_prediction_and_then_stands_behind_every_cursor()
    {
        var early = await Append(Truth("cat", prediction: "p"));
        await Append(Truth("dog", input: [2]));
        var cursor = Store.LastSequence;
        Assert.Equal(FeedbackState.Waiting, early.State);
        Assert.Equal(1, Store.Status(0).WithoutPrediction);
        Assert.Equal("dog", Assert.Single(Samples()).Label);

        Store.Remember([Prediction("p", "cat", [1])]);
        await Append(Truth("dog", input: [3]));

        Assert.Equal(["cat", "dog"], Samples(cursor).Select(sample => sample.Label).Order());
        Assert.Equal(0, Store.Status(0).WithoutPrediction);
    }

    [Fact]
    public async Task Early_feedback_is_matched_after_a_restart_too()
    {
        await Append(Truth("cat", prediction: "p"));
        await CloseAsync();

        Store.Remember([Prediction("p", "cat", [1])]);
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
        Store.Remember([Prediction("p", "dog", [7])]);
        var first = await Append(Truth("cat", prediction: "p"));
        var again = await Append(Truth("cat", prediction: "p"));

        Assert.Equal(first with { State = FeedbackState.Duplicate }, again);
        Assert.Single(Samples());
    }

    [Fact]
    public async Task A_correction_takes_the_place_of_what_a_version_learnt()
    {
        Store.Remember([Prediction("p", "dog", [7])]);
        await Append(Truth("cat", prediction: "p"));
        var cursor = Store.LastSequence;
        await Append(Truth("cow", prediction: "p"));
        var now = Store.LastSequence;

        Assert.Equal("cat", Assert.Single(Store.ReadRevoked(cursor, cursor, now)).Label);
        Assert.Equal("cow", Assert.Single(Store.ReadSamples(cursor, now, 10, heldOut: false)).Label);
        Assert.Equal("cow", Assert.Single(Samples()).Label);
        Assert.Empty(Store.ReadRevoked(now, now, now));
    }

    [Fact]
    public async Task A_reading_up_to_a_cursor_is_the_same_before_and_after_later_corrections()
    {
        Store.Remember([Prediction("p", "dog", [7])]);
        await Append(Truth("cat", prediction: "p"));
        var cursor = Store.LastSequence;
        await Append(Truth("cow", prediction: "p"));

        Assert.Equal("cat", Assert.Single(Store.ReadSamples(0, cursor, 10, heldOut: false)).Label);
    }

    [Fact]
    public async Task A_correction_stays_held_out_when_what_it_corrects_was()
    {
        for (var i = 0; i < 40; i++)
        {
            Store.Remember([Prediction($"p{i}", "dog", [7])]);
            await Append(Truth("cat", prediction: $"p{i}", holdOut: 0.5));
        }
        var held = Store.ReadSamples(0, Store.LastSequence, 100, heldOut: true).Count;
        Assert.InRange(held, 8, 32);

        for (var i = 0; i < 40; i++) await Append(Truth("cow", prediction: $"p{i}", holdOut: 0.5));

        Assert.Equal(held, Store.ReadSamples(0, Store.LastSequence, 100, heldOut: true).Count(sample => sample.Label == "cow"));
        Assert.Equal(40, Samples().Count + held);
    }

    [Fact]
    public async Task The_newest_held_out_samples_of_each_label_are_read_as_they_were_at_a_sequence()
    {
        Store.Remember([Prediction("p", "dog", [9])]);
        foreach (var label in (string[])["cat", "cat", "cat", "cat", "dog", "cat"]) await Append(Truth(label, input: [1], holdOut: 1));
        await Append(Truth("cow", input: [1]));
        await Append(Truth("cat", prediction: "p", holdOut: 1));
        var before = Store.LastSequence;
        await Append(Truth("cow", prediction: "p", holdOut: 1));

        Assert.Equal([(4, "cat"), (5, "dog"), (6, "cat"), (9, "cow")], Newest(Store.LastSequence));
        Assert.Equal([(5, "dog"), (6, "cat"), (8, "cat")], Newest(before));
        Assert.Equal([(2, "cat"), (3, "cat")], Newest(3));

        IEnumerable<(long, string)> Newest(long upTo) => Store.ReadHeldOut(upTo, 2).Select(sample => (sample.Sequence, sample.Label));
    }

    [Theory]
    [InlineData(1.0, true)]
    [InlineData(0.5, true)]
    [InlineData(0.49, false)]
    public async Task A_reward_confirms_or_only_judges(double reward, bool confirms)
    {
        Store.Remember([Prediction("p", "dog", [7])]);

        await Append(new FeedbackEntry { At = s_start, PredictionId = "p", Reward = reward });

        Assert.Equal(confirms ? ["dog"] : [], Samples().Select(sample => sample.Label));
        Assert.Equal(confirms, Assert.Single(Store.ReadJudged(0, 10)).Right);
    }

    [Fact]
    public async Task A_later_reward_replaces_an_earlier_one_and_a_bad_one_takes_nothing_from_a_label()
    {
        Store.Remember([Prediction("p", "dog", [7]), Prediction("q", "dog", [8])]);
        await Append(new FeedbackEntry { At = s_start, PredictionId = "p", Reward = 1 });
        await Append(Truth("cat", prediction: "q"));
        var cursor = Store.LastSequence;

        Assert.Equal(FeedbackState.Accepted, (await Append(new FeedbackEntry { At = s_start, PredictionId = "p", Reward = 0 })).State);
        Assert.Equal(FeedbackState.Duplicate, (await Append(new FeedbackEntry { At = s_start, PredictionId = "q", Reward = 0 })).State);

        Assert.Equal("cat", Assert.Single(Samples()).Label);
        Assert.Equal("dog", Assert.Single(Store.ReadRevoked(cursor, cursor, Store.LastSequence)).Label);
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
        Store.Remember([Prediction("p", "dog", [7])]);
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
        Store.Remember([Prediction("p", "dog", [7])]);
        await Append(Truth("cat", prediction: "p") with { ObservedAt = s_start.AddSeconds(1) });
        await Append(Truth("cat", prediction: "p") with { ObservedAt = s_start.AddSeconds(3) });
        await Append(Truth("cow", prediction: "p") with { ObservedAt = s_start.AddSeconds(2) });

        Assert.Equal("cat", Assert.Single(Samples()).Label);
    }

    [Fact]
    public async Task Of_two_predictions_with_one_id_the_first_stands()
    {
        Store.Remember([Prediction("p", "dog", [7])]);
        await Append(Truth("cat", input: [1])); // which writes it, too
        Store.Remember([Prediction("p", "cow", [8])]);

        Assert.Equal("dog", Store.FindPrediction("p")!.Label);
        await Append(Truth("cat", prediction: "p"));
        Assert.Equal("dog", Store.FindPrediction("p")!.Label);
        Assert.Equal([7], Samples()[1].Input);
    }

    [Fact]
    public async Task Numbers_are_never_given_twice_even_when_rows_are_gone()
    {
        await Append(Truth("cat", input: [1], subject: "s"));
        await Store.DeleteSubjectAsync("s", cursor: 0);
        var last = Store.LastSequence;
        await CloseAsync();

        Assert.Equal(last, Store.LastSequence);
        Assert.Equal(last + 1, (await Append(Truth("cat", input: [2]))).Sequence);
    }

    [Fact]
    public async Task Deleting_a_subject_leaves_nothing_of_what_was_not_learnt_and_tells_what_to_unlearn()
    {
        Store.Remember([Prediction("p", "dog", [7], subject: "ann")]);
        await Append(Truth("cat", prediction: "p"));
        var cursor = Store.LastSequence;
        await Append(Truth("cow", input: [8], subject: "ann"));
        Assert.Equal((1, 2), (Store.ReadSubject("ann").Predictions.Count, Store.ReadSubject("ann").Feedback.Count));

        Assert.Equal(new SubjectErased(1, 2, 0, true), await Store.DeleteSubjectAsync("ann", cursor));

        Assert.Empty(Store.ReadSubject("ann").Predictions);
        Assert.Empty(Store.ReadSubject("ann").Feedback);
        Assert.Null(Store.FindPrediction("p"));
        Assert.Empty(Samples());
        var now = Store.LastSequence;
        Assert.Equal("cat", Assert.Single(Store.ReadRevoked(cursor, cursor, now)).Label);
        await Store.ForgetRevokedAsync([new VersionPlace(cursor, cursor)]); // which a version holds
        Assert.Equal((1, 0), Store.CountDeleted(new VersionPlace(cursor, cursor)));
        Assert.Single(Store.ReadRevoked(cursor, cursor, now));
        await Store.ForgetRevokedAsync([new VersionPlace(0, 0), new VersionPlace(cursor, now)]); // which none holds
        Assert.Equal((1, 1), Store.CountDeleted(new VersionPlace(cursor, cursor)));
        Assert.Empty(Store.ReadRevoked(cursor, cursor, now));
    }

    [Fact]
    public async Task A_sample_that_is_too_old_can_still_be_deleted_from_the_version_that_learnt_it()
    {
        await Append(Truth("cat", input: [1], subject: "ann"));
        var cursor = Store.LastSequence;
        await Append(Truth("cow", input: [2], subject: "ann"));
        await Store.ExpireAsync(new RetentionPolicy { FeedbackDays = 1 }, cursor);
        Assert.Empty(Samples()); // by age alone: the second was never learnt

        var kept = Assert.Single(Store.ReadSubject("ann").Feedback);
        Assert.Equal((1L, (string?)null, 1L), (kept.Sequence, kept.Label, kept.Place));
        Assert.Equal(new SubjectErased(0, 1, 0, true), await Store.DeleteSubjectAsync("ann", cursor));
        Assert.Equal((1, 1), Store.CountDeleted(new VersionPlace(cursor, cursor)));
        Assert.Equal((0, 0), Store.CountDeleted(new VersionPlace(cursor, Store.LastSequence)));
    }

    [Fact]
    public async Task What_waits_longer_than_the_policy_keeps_it_is_dropped()
    {
        Store.Remember([Prediction("old", "dog", [7]), Prediction("new", "dog", [7], TimeSpan.FromDays(400_000))]);
        await Append(Truth("cat", input: [1]));

        Assert.Equal((1, 1), await Store.ExpireAsync(new RetentionPolicy { PredictionHours = 1, FeedbackDays = 1 }, Store.LastSequence));

        Assert.Null(Store.FindPrediction("old"));
        Assert.NotNull(Store.FindPrediction("new"));
        Assert.Empty(Samples());
    }

    [Fact]
    public async Task The_newest_predictions_are_kept_and_no_more_than_asked_for()
    {
        _opened = Open(mostPredictions: 50);
        for (var i = 0; i < 100; i += 20)
        {
            Store.Remember([.. Enumerable.Range(i, 20).Select(n => Prediction($"p{n}", "dog", [7]))]);
            await Append(Truth("cat", input: [1])); // which writes them, too
        }
        Assert.Equal(Enumerable.Range(50, 50), Kept());

        await CloseAsync();
        _opened = Open(mostPredictions: 10);
        Store.Remember([Prediction("p100", "dog", [7])]);
        await Append(Truth("cat", input: [1]));
        Assert.Equal(Enumerable.Range(91, 10), Kept());

        IEnumerable<int> Kept() => Enumerable.Range(0, 101).Where(n => Store.FindPrediction($"p{n}") is not null);
    }

    [Fact]
    public async Task A_store_that_cannot_keep_up_says_so()
    {
        await CloseAsync();
        _opened = Open(mostWaiting: 2);

        await Assert.ThrowsAsync<StoreBusyException>(
            () => Store.AppendAsync([Truth("a", input: [1]), Truth("b", input: [1]), Truth("c", input: [1])], default));

        await Append(Truth("d", input: [1]));
        Assert.Equal("d", Assert.Single(Samples()).Label);
    }

    [Fact]
    public async Task Versions_and_aliases_change_in_one_transaction()
    {
        await Store.WriteVersionAsync(Version(1));
        await Store.WriteVersionAsync(Version(2));
        await Store.WriteAliasAsync("champion", 1, [Version(1) with { State = VersionState.Published }]);
        await Store.WriteAliasAsync(
            "champion", 2, [Version(1) with { State = VersionState.Retired }, Version(2) with { State = VersionState.Published }]);
        await CloseAsync();

        Assert.Equal([VersionState.Retired, VersionState.Published], Store.ReadVersions().Select(version => version.State));
        Assert.Equal(["champion"], Store.ReadVersions()[1].Aliases);
        Assert.Equal(["a", "b"], Store.ReadVersions()[1].Labels);
        await Store.DeleteVersionAsync(2);
        Assert.Equal(1, Assert.Single(Store.ReadVersions()).Version);
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
        await CloseAsync();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected static FeedbackEntry Truth(
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

    private protected static PredictionRecord Prediction(
        string id, string label, byte[] input, TimeSpan after = default, string? subject = null) =>
        new(id, s_start + after, 3, label, 0.9, false, input, subject);

    private static VersionInfo Version(int number) =>
        new() { Version = number, State = VersionState.Staged, Created = s_start, Labels = ["a", "b"] };

    private protected async Task<FeedbackReceipt> Append(FeedbackEntry entry) => (await Store.AppendAsync([entry], default))[0];

    private protected IReadOnlyList<LabelledSample> Samples(long after = 0) =>
        Store.ReadSamples(after, Store.LastSequence, int.MaxValue, heldOut: false);

    private protected async Task CloseAsync()
    {
        if (_opened is not null) await _opened.DisposeAsync();
        _opened = null;
    }
}
