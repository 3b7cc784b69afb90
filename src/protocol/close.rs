//! Why a session ends: one reason is the log line, the metric label, the close code and the player's sentence.

/// Every reason for which the server ends a session. Each has a WebSocket close code of its own, but for those of
/// [`CloseReason::OF_ADDRESSES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The client sent Leave or closed the WebSocket.
    Left,
    /// Bytes that are no message, or a frame that breaks RFC 6455.
    Malformed,
    /// A text frame: the protocol is binary.
    TextFrame,
    /// Longer than the limit.
    TooLong,
    /// More messages or bytes than the rate limit allows.
    TooFast,
    /// The room's game panicked.
    RoomFailed,
    /// The server is shutting down or restarting.
    Shutdown,
    /// The server has no room, seat or queue place for this session now.
    Busy,
    /// The session's address holds as many sessions as one may have while others want in.
    AddressSessions,
    /// The session's address holds as many rooms.
    AddressRooms,
    /// Too many joins came from the session's address.
    AddressJoins,
    /// Too many codes of no room came from the session's address.
    AddressCodes,
    /// No Hello within the deadline.
    HelloTimeout,
    /// Another message before Hello, a second Hello, or a row of the wrong length.
    OutOfOrder,
    /// A protocol version that this server does not speak.
    WrongVersion,
    /// No room has this code.
    UnknownRoom,
    /// All seats of the room are taken.
    RoomFull,
    /// All spectator places of the room are taken.
    SpectatorsFull,
    /// The room ended while the session was in it or on its way to it.
    RoomEnded,
    /// The resume token fits no kept seat: it expired, was freed, or never was.
    SeatGone,
    /// A newer session took the seat with its token.
    Replaced,
    /// The client answered no WebSocket ping for the idle time.
    Idle,
    /// The client's socket took nothing for the configured time. Never sent: the socket takes nothing.
    Stuck,
}

impl CloseReason {
    /// All reasons with a code of their own, in the order of their codes.
    pub const ALL: [Self; 19] = [
        Self::Left,
        Self::Malformed,
        Self::TextFrame,
        Self::TooFast,
        Self::TooLong,
        Self::RoomFailed,
        Self::Shutdown,
        Self::Busy,
        Self::HelloTimeout,
        Self::OutOfOrder,
        Self::WrongVersion,
        Self::UnknownRoom,
        Self::RoomFull,
        Self::SpectatorsFull,
        Self::RoomEnded,
        Self::SeatGone,
        Self::Replaced,
        Self::Idle,
        Self::Stuck,
    ];

    /// Those that are `Busy` for one address and not for all. Their code is its code, because a client does the same.
    pub const OF_ADDRESSES: [Self; 4] =
        [Self::AddressSessions, Self::AddressRooms, Self::AddressJoins, Self::AddressCodes];

    /// The WebSocket close code: RFC 6455's own below 4000, the protocol's from there.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Left => 1000,
            Self::Malformed => 1002,
            Self::TextFrame => 1003,
            Self::TooFast => 1008,
            Self::TooLong => 1009,
            Self::RoomFailed => 1011,
            Self::Shutdown => 1012,
            Self::Busy | Self::AddressSessions | Self::AddressRooms | Self::AddressJoins | Self::AddressCodes => 1013,
            Self::HelloTimeout => 4000,
            Self::OutOfOrder => 4001,
            Self::WrongVersion => 4002,
            Self::UnknownRoom => 4003,
            Self::RoomFull => 4004,
            Self::SpectatorsFull => 4005,
            Self::RoomEnded => 4006,
            Self::SeatGone => 4007,
            Self::Replaced => 4008,
            Self::Idle => 4009,
            Self::Stuck => 4010,
        }
    }

    /// The reason with this close code.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The metric label and log word.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Malformed => "malformed",
            Self::TextFrame => "text_frame",
            Self::TooFast => "too_fast",
            Self::TooLong => "too_long",
            Self::RoomFailed => "room_failed",
            Self::Shutdown => "shutdown",
            Self::Busy => "busy",
            Self::AddressSessions => "address_sessions",
            Self::AddressRooms => "address_rooms",
            Self::AddressJoins => "address_joins",
            Self::AddressCodes => "address_codes",
            Self::HelloTimeout => "hello_timeout",
            Self::OutOfOrder => "out_of_order",
            Self::WrongVersion => "wrong_version",
            Self::UnknownRoom => "unknown_room",
            Self::RoomFull => "room_full",
            Self::SpectatorsFull => "spectators_full",
            Self::RoomEnded => "room_ended",
            Self::SeatGone => "seat_gone",
            Self::Replaced => "replaced",
            Self::Idle => "idle",
            Self::Stuck => "stuck",
        }
    }

    /// One sentence that a player understands, with the remedy where there is one. At most 123 bytes, so that it fits
    /// a Close frame too.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Left => "You left the match.",
            Self::Malformed => {
                "The server could not understand this client: its bytes are not a message of the protocol."
            }
            Self::TextFrame => "This protocol is binary: send binary WebSocket messages, not text.",
            Self::TooFast => "This client sends more than the server allows. Slow down and reconnect.",
            Self::TooLong => "This client sent a message above the size limit.",
            Self::RoomFailed => "The match broke down because of a fault in the game. Join another one.",
            Self::Shutdown => "The server is restarting. Reconnect in a moment.",
            Self::Busy => "The server is full right now. Try again in a moment.",
            Self::AddressSessions => {
                "As many people play from your network's address as one may have right now. Try again in a moment."
            }
            Self::AddressRooms => {
                "Your network's address has begun as many matches as one may have right now. Join another one."
            }
            Self::AddressJoins => "Too many joins came from your network's address. Try again in a few seconds.",
            Self::AddressCodes => "Too many wrong codes came from your network's address. Try again in a minute.",
            Self::HelloTimeout => "No Hello came within five seconds of connecting.",
            Self::OutOfOrder => "This client sent a message that does not belong at this point of the session.",
            Self::WrongVersion => {
                "This client and the server speak different versions. Reload the page or update the client."
            }
            Self::UnknownRoom => "There is no match with this code. Check it, or start a new match.",
            Self::RoomFull => "All seats of this match are taken. Join another one, or watch it.",
            Self::SpectatorsFull => "All spectator places of this match are taken.",
            Self::RoomEnded => "The match has ended. Join another one.",
            Self::SeatGone => "Your seat is no longer kept for you. Join again.",
            Self::Replaced => "You are playing this seat from another window now.",
            Self::Idle => "The connection was silent for too long.",
            Self::Stuck => "The connection took no data for too long.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_to_an_address_is_busy_in_words_of_its_own() {
        for reason in CloseReason::OF_ADDRESSES {
            assert_eq!(CloseReason::from_code(reason.code()), Some(CloseReason::Busy), "{reason:?}");
            assert!(reason.text().len() <= 123 && reason.text().ends_with('.'), "{reason:?}");
            assert!(reason.text().contains("network's address"), "{reason:?}");
            assert!(CloseReason::ALL.iter().all(|other| other.label() != reason.label()));
        }
    }

    #[test]
    fn every_reason_has_a_code_a_label_and_a_sentence_of_its_own() {
        for (i, reason) in CloseReason::ALL.into_iter().enumerate() {
            assert_eq!(CloseReason::from_code(reason.code()), Some(reason), "code {}", reason.code());
            assert!(reason.text().len() <= 123, "{reason:?} does not fit a Close frame");
            assert!(reason.text().ends_with('.'), "{reason:?} is no sentence");
            for other in &CloseReason::ALL[..i] {
                assert!(other.code() < reason.code(), "{other:?} and {reason:?} are not in the order of their codes");
                assert_ne!(other.label(), reason.label());
            }
        }
    }
}
